import { expect } from 'chai';
import { RedisRequests } from '../../../src/drivers/redis-requests.js';
import { rememberVerdict } from '../../../src/guard/autopsy.js';
import type { Verdict } from '../../../src/guard/verdict.js';

/** Answers with what it is given, in that order. */
class FakeClient {
  isOpen = true;
  isReady = true;
  isWatching = false;
  readonly sent: unknown[] = [];
  readonly answers: (string | Error)[] = [];
  connect(): void {
    this.isOpen = true;
  }
  destroy(): void {
    this.isOpen = false;
  }
  on(): this {
    return this;
  }
  sendCommand(...args: unknown[]): Promise<unknown> {
    return this.#answer(args[0]);
  }
  _executeMulti(...args: unknown[]): Promise<unknown> {
    this.isWatching = false;
    return this.#answer(args[0]);
  }
  monitor(): Promise<unknown> {
    return this.#answer('MONITOR');
  }
  async #answer(sent: unknown): Promise<unknown> {
    this.sent.push(sent);
    await Promise.resolve();
    const answer = this.answers.shift() ?? 'OK';
    if (typeof answer === 'string') return answer;
    throw answer;
  }
}

function died(delivery: Verdict['delivery']): Error {
  const error = new Error(delivery);
  const bytes = { sent: 0 };
  rememberVerdict(error, { cause: 'nat-eviction', delivery, bytes, evidence: [] } as unknown as Verdict);
  return error;
}

describe('RedisRequests', () => {
  let client: FakeClient;
  let requests: RedisRequests;

  beforeEach(() => {
    client = new FakeClient();
    requests = new RedisRequests(client, 1);
  });

  it('knows whether anything is under way, its own PING left out', async () => {
    expect(requests.areNone).to.equal(true);
    const asked = client.sendCommand(['GET', 'key']);
    expect(requests.areNone).to.equal(false);
    await asked;
    const pinged = requests.ping();
    expect(requests.areNone).to.equal(true);
    await pinged;
    expect(client.sent).to.deep.equal([['GET', 'key'], ['PING']]);
  });

  it('sends again what never left, and nothing else', async () => {
    client.answers.push(died('never-sent'), 'value');
    expect(await client.sendCommand(['GET', 'key'])).to.equal('value');
    for (const delivery of ['uncertain', 'all-acknowledged'] as const) {
      const error = died(delivery);
      client.answers.push(error);
      expect(await client.sendCommand(['INCR', 'key']).catch((thrown: unknown) => thrown)).to.equal(error);
    }
    expect(client.sent).to.have.length(4);
  });

  it('does not repeat a transaction whose keys are watched', async () => {
    client.isWatching = true;
    const error = died('never-sent');
    client.answers.push(error);
    expect(await client._executeMulti('transaction').catch((thrown: unknown) => thrown)).to.equal(error);
    client.answers.push(died('never-sent'));
    expect(await client._executeMulti('transaction')).to.equal('OK');
    expect(client.sent).to.have.length(3);
  });

  it('tells what a client died of, not that it was ended meanwhile', async () => {
    const error = died('never-sent');
    client.answers.push(error);
    const asked = client.sendCommand(['GET', 'key']).catch((thrown: unknown) => thrown);
    client.destroy();
    expect(await asked).to.equal(error);
    expect(client.sent).to.have.length(1);
  });

  it('leaves a client that monitors without PINGs', async () => {
    await client.monitor();
    expect(requests.areNone).to.equal(false);
  });
});
