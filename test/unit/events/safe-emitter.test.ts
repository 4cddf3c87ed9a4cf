import { expect } from 'chai';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { publish } from '../../../src/events/channels.js';
import type { HoldfastEvents } from '../../../src/events/events.js';
import { SafeEmitter } from '../../../src/events/safe-emitter.js';

interface Events {
  swept: { readonly dead: number };
}

class Emitter extends SafeEmitter<Events> {
  tell(dead: number): void {
    this.announce('swept', { dead });
  }
}

describe('events', () => {
  it('reach every listener, once where that was asked, until it is taken off', () => {
    const emitter = new Emitter();
    const seen: string[] = [];
    const listener = ({ dead }: { dead: number }): void => void seen.push(`on ${dead}`);
    emitter.on('swept', listener).once('swept', ({ dead }) => seen.push(`once ${dead}`));
    emitter.tell(1);
    emitter.tell(2);
    emitter.off('swept', listener);
    emitter.tell(3);
    expect(seen).to.deep.equal(['on 1', 'once 1', 'on 2']);
    expect(emitter.listenerCount('swept')).to.equal(0);
  });

  it('survive a listener that throws: the next one still runs, and a warning tells', async () => {
    const emitter = new Emitter();
    let reached = false;
    const warned = new Promise<Error>(resolve => process.once('warning', resolve));
    emitter.on('swept', () => {
      throw new Error('mine');
    });
    emitter.on('swept', () => (reached = true));
    emitter.tell(1);
    expect(reached).to.equal(true);
    expect((await warned).message).to.equal("a listener of 'swept' threw: mine");
  });

  it('are published on the diagnostics channel of their name', () => {
    const payload: HoldfastEvents['swept'] = {
      target: { host: 'db', port: 1 },
      reason: 'request',
      probed: 1,
      alive: 1,
      dead: 0,
      elapsed: 1,
    };
    const seen: unknown[] = [];
    const listener = (message: unknown): void => void seen.push(message);
    publish('swept', payload);
    subscribe('holdfast:swept', listener);
    publish('swept', payload);
    unsubscribe('holdfast:swept', listener);
    publish('swept', payload);
    expect(seen).to.deep.equal([payload]);
  });
});
