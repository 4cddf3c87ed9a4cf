/**
 * What a NAT does to idle connections, and what holdfast does about it, side by side. See README.md.
 * Exit code 0 only if everything it says truly happened.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Expiry, NatLab } from 'holdfast/lab';
import { ask, dialBare, dialGate, dialHardened, type Outcome, type Place } from './actors.js';
import { Claims } from './claims.js';
import { findLab } from '../find-lab.js';
import { NumberedStream } from './numbered-stream.js';
import { Peer } from './peer.js';
import { Timeline } from './timeline.js';

const BEAT_MS = 400; // between the actors, so that a person can follow
const HANG_MS = 3000;

interface Scene extends Place {
  readonly lab: NatLab;
  readonly peer: Peer;
  readonly claims: Claims;
  readonly stream: NumberedStream;
}

async function round(scene: Scene, expiry: Extract<Expiry, 'reset-on-packet' | 'drop'>): Promise<void> {
  const { lab, timeline, claims, stream, peer } = scene;
  const how = expiry === 'drop' ? 'swallows their packets' : 'answers their packets with a reset';
  const mode = expiry === 'drop' ? 'silent NAT' : 'resetting NAT';
  timeline.heading(`A NAT that forgets connections idle for 3 s and then ${how}`);
  timeline.columns();
  await lab.configure({ expiry });
  const bare = await dialBare(scene);
  const hardened = await dialHardened(scene);
  const gate = scene.backend === 'kernel' ? await dialGate(scene) : undefined;
  stream.send(5);
  timeline.say('stream', `sent lines up to ${stream.sent}`);
  const ports = new Set([bare, gate, stream.socket].map(socket => socket?.localPort));
  const generation = stream.socket.generation;

  timeline.say('NAT', 'silence ...', 'note');
  await forgotten(lab, ports);
  timeline.say('NAT', 'has forgotten all but hardened', 'note');
  await delay(BEAT_MS);

  const bareEnd = await ask(bare, 'bare are you there?', HANG_MS);
  timeline.say('bare', describe(bareEnd), 'bad');
  claims.check(
    expiry === 'drop'
      ? `${mode}: the bare socket hangs: no answer and no error within ${HANG_MS / 1000} s`
      : `${mode}: the bare socket dies of ECONNRESET at its first write`,
    expiry === 'drop' ? bareEnd.name === 'silence' : bareEnd.name === 'died' && bareEnd.code === 'ECONNRESET',
  );
  bare.destroy();
  await delay(BEAT_MS);

  const lived = await ask(hardened, 'hardened are you there?');
  timeline.say('hardened', describe(lived), lived.name === 'answered' ? 'good' : 'bad');
  claims.check(`${mode}: the hardened socket is answered on the same connection`, lived.name === 'answered');
  hardened.destroy();
  await delay(BEAT_MS);

  if (gate !== undefined) {
    const refused = await ask(gate, 'gate doomed');
    timeline.say('gate', describe(refused), 'note');
    const cause = expiry === 'drop' ? 'path-timeout' : 'nat-eviction';
    const wasHeard = peer.linesOf('gate').includes('gate doomed');
    timeline.say('gate', `server heard ${wasHeard ? 'it!' : 'nothing'}`, wasHeard ? 'bad' : 'good');
    claims.check(
      `${mode}: the gate refuses the write (${cause}, never-sent), the server hears nothing`,
      !wasHeard &&
        refused.name === 'died' &&
        refused.verdict?.cause === cause &&
        refused.verdict.delivery === 'never-sent',
    );
    await delay(BEAT_MS);
  }

  stream.send(5);
  timeline.say('stream', `sends lines up to ${stream.sent}`);
  const arrived = await until(() => peer.linesOf('stream').length >= stream.sent);
  timeline.say('stream', arrived ? 'the server has them' : 'they did not arrive', arrived ? 'good' : 'bad');
  claims.check(
    `${mode}: the stream went on, on another connection`,
    arrived && stream.socket.generation > generation,
  );
}

function describe(outcome: Outcome): string {
  switch (outcome.name) {
    case 'answered':
      return 'asks, and is answered';
    case 'silence':
      return `asks: no answer in ${HANG_MS / 1000} s, no error either`;
    case 'died': {
      const { code, verdict } = outcome;
      if (verdict === undefined) return `asks: ${code ?? 'error'}, dead`;
      return `write refused: ${verdict.cause} (${Math.round(verdict.confidence * 100)}%), ${verdict.delivery}`;
    }
  }
}

/** Each line once, in order, and after each loss the hook's word before any line. */
function checkLines({ peer, claims, stream }: Scene): void {
  const lines = peer.linesOf('stream');
  const { generation } = stream.socket;
  claims.check(
    `stream: ${stream.sent} numbered lines arrived once each, in order, over ${generation} connections`,
    lines.length === stream.sent && lines.every((line, index) => line === `stream ${index + 1}`),
  );
  const [first, ...later] = peer.openings.filter(line => line.includes('stream'));
  claims.check(
    'stream: the resume hook spoke first on each connection after the first',
    first === 'stream 1' && later.length === generation - 1 && later.every(line => line === 'resume stream'),
  );
}

/** Resolves once the NAT knows none of these local ports any more. */
async function forgotten(lab: NatLab, ports: ReadonlySet<number | undefined>): Promise<void> {
  await until(async () => {
    const flows = await lab.flows();
    return flows.every(
      ({ client, state }) => state !== 'ESTABLISHED' || !ports.has(Number(client.split(':').at(-1))),
    );
  });
}

/** @returns false when it did not come true within 10 s */
async function until(condition: () => boolean | Promise<boolean>): Promise<boolean> {
  for (const end = performance.now() + 10_000; performance.now() < end; await delay(50)) {
    if (await condition()) return true;
  }
  return false;
}

async function run(lab: NatLab): Promise<boolean> {
  const timeline = new Timeline();
  const claims = new Claims();
  const { backend } = lab;
  if (backend === 'kernel') {
    timeline.text('This is Linux’s own NAT, between network namespaces that vanish with this process.');
  } else {
    timeline.text(`No kernel NAT here (${lab.reason ?? 'no right to make one'}).`);
    timeline.text(
      'This is an emulated one, a relay: it answers keepalives and probes by itself, so only payload',
    );
    timeline.text(
      'keeps a connection, the hardened socket lives by heartbeat, and the write gate can’t be shown.',
    );
  }
  const { peer, host, port } = await Peer.start(lab);
  const place = { host, port, timeline, backend };
  const stream = await NumberedStream.open(place);
  const scene = { ...place, lab, peer, claims, stream };
  try {
    await round(scene, 'reset-on-packet');
    await round(scene, 'drop');
    timeline.heading('Checked');
    checkLines(scene);
    return claims.summary(timeline);
  } finally {
    stream.socket.destroy();
    peer.close();
    await lab.close();
  }
}

const lab = await findLab();
process.exitCode = typeof lab === 'number' ? lab : (await run(lab)) ? 0 : 1;
