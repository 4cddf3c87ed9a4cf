import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import type { Flow, NatLab } from '../../../src/lab/index.js';
import { establishedFlows, until, type NatFixture } from '../../support/nat.js';
import { Document, type Arm, type Loss } from './document.js';
import { PATIENCE_MS, Running } from './running.js';

/** A line of the tables in docs/compatibility.md. */
export interface Row {
  /** As it stands there. */
  readonly name: string;
  /** A file of `applications/`. */
  readonly application: string;
  /** A file of `wrapped/`, for a driver that has a wrapper. */
  readonly wrapped?: string;
  /** Where the server is, for LAB_URL. */
  readonly url: () => string;
}

const REGISTER = ['--import', new URL('../../../src/register.js', import.meta.url).href];
/** Keepalive well below the NAT's 3 s. */
const KEPT = { HOLDFAST_KEEPALIVE_IDLE: '1s', HOLDFAST_KEEPALIVE_INTERVAL: '1s' };
/** Keepalive that comes too late, so that nothing but the gate can help. */
const LATE = { HOLDFAST_KEEPALIVE_IDLE: '1h', HOLDFAST_PROBE_AFTER_IDLE: '1s', HOLDFAST_LEARN: 'false' };

/** The loss is to be in the past when they work again: some drivers are a second about reconnecting by themselves. */
const RECONNECT_MS = 1500;

interface Subject {
  readonly row: Row;
  readonly arm: Arm;
  readonly running: Running;
}

/**
 * Tests, for a `describe` block behind a NAT that forgets after 3 s: all rows at the same time, bare, under register
 * and wrapped, lose their connections in each of three ways. What each of them sees is what docs/compatibility.md
 * says. With HOLDFAST_TEST_WRITE=1 it is written there instead.
 */
export function itTellsTheFates(
  nat: NatFixture,
  rows: readonly Row[],
  { between = () => undefined }: { between?: () => void } = {},
): void {
  const losses = {
    'reset-on-packet': 'RST on the next packet',
    'reset-at-expiry': 'RST while idle',
    drop: 'silent drop',
  } as const;

  for (const [expiry, loss] of Object.entries(losses) as [keyof typeof losses, Loss][]) {
    it(`tells what becomes of ${rows.map(({ name }) => name).join(', ')}: ${loss}`, async function () {
      this.timeout(120_000);
      await nat.lab.configure({ expiry, idleTimeout: '3s' });
      const all: Subject[] = [];
      try {
        const kept = await startAll(nat.lab, rows, 'kept', all);
        const late = await startAll(nat.lab, rows, 'late', all, kept);
        await until('the NAT forgets what nobody keeps awake', async () =>
          [...(await established(nat.lab))].every(flow => !late.has(flow)),
        );
        if (expiry === 'reset-at-expiry') {
          // Some drivers connect anew when they are reset. Those connections are not to be lost as well.
          await nat.lab.configure({ expiry, idleTimeout: '60s' });
          await until('the NAT has reset what it forgot', () => hasNothingToReset(nat.lab, kept));
          await delay(RECONNECT_MS);
        }
        expect([...(await established(nat.lab))], 'flows kept awake').to.include.members([...kept]);
        await workAgain(all);
        for (const { arm, running } of all) {
          if (arm === 'register' || arm === 'wrapper') {
            expect(running.fate, `${running.name}: ${running.error ?? running.stderr}`).to.equal('answer');
            expect(running.stderr, running.name).to.equal('');
          }
        }
        const document = new Document();
        for (const { row, arm, running } of all) document.record(loss, row.name, arm, running);
        document.settle();
      } finally {
        await Promise.all(all.map(({ running }) => running.end()));
        between();
      }
    });
  }
}

/** Starts those whose connections are to be kept, or the others, and resolves with the flows they made. */
async function startAll(
  lab: NatLab,
  rows: readonly Row[],
  kind: 'kept' | 'late',
  all: Subject[],
  known = new Set<string>(),
): Promise<Set<string>> {
  const isKept = kind === 'kept';
  const started: Subject[] = [];
  const start = (row: Row, arm: Arm, file: string, env: NodeJS.ProcessEnv, options: string[] = []): void => {
    const running = new Running(lab, `${row.name}, ${arm}`, file, { ...env, LAB_URL: row.url() }, options);
    started.push({ row, arm, running });
  };
  for (const row of rows) {
    const application = `applications/${row.application}`;
    start(row, isKept ? 'register' : 'register, late', application, isKept ? KEPT : LATE, REGISTER);
    if (!isKept) start(row, 'bare', application, {});
    if (row.wrapped === undefined) continue;
    start(row, isKept ? 'wrapper' : 'wrapper, late', `wrapped/${row.wrapped}`, isKept ? KEPT : LATE);
  }
  all.push(...started);
  const opened = new Set<string>();
  await until(`all have worked once (${kind})`, async () => {
    for (const flow of await established(lab)) if (!known.has(flow)) opened.add(flow);
    return started.every(({ running }) => running.isIdle);
  });
  return isKept ? await established(lab) : opened;
}

/** Whether all that is connected is known to the NAT, and is not to be forgotten soon. */
async function hasNothingToReset(lab: NatLab, kept: ReadonlySet<string>): Promise<boolean> {
  const known = await establishedFlows(lab);
  if (known.some(flow => !kept.has(nameOf(flow)) && flow.expiresIn < 20_000)) return false;
  const child = lab.spawn('client', 'ss', ['-4Htn', 'state', 'established'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const output = child.stdout ? await text(child.stdout) : '';
  const names = new Set(known.map(nameOf));
  return output
    .split('\n')
    .filter(Boolean)
    .every(line => names.has(line.trim().split(/\s+/).slice(2, 4).join(' ')));
}

async function established(lab: NatLab): Promise<Set<string>> {
  return new Set((await establishedFlows(lab)).map(nameOf));
}

/** A client's port is its own towards one server only. */
function nameOf({ client, server }: Flow): string {
  return `${client} ${server}`;
}

async function workAgain(all: readonly Subject[]): Promise<void> {
  for (const { running } of all) running.workAgain();
  const deadline = performance.now() + PATIENCE_MS;
  while (performance.now() < deadline && !all.every(({ running }) => running.hasEnded)) await delay(20);
}
