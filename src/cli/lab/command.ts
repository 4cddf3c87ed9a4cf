import { Option, type Command } from 'commander';
import { setTimeout as delay } from 'node:timers/promises';
import { createNatLab, LabError, type BackendName, type Expiry, type NatLab } from '../../lab/index.js';
import { formatDuration } from '../../options/durations.js';
import {
  choiceArgument,
  durationArgument,
  formatAddress,
  parseAddress,
  refused,
  type Address,
} from '../arguments.js';
import { CliError, exitCodes } from '../exit-codes.js';
import type { Channel, Terminal } from '../terminal.js';
import { serveBehindLab, type FarServer } from './far-server.js';
import { runCommand } from './run-command.js';
import { LAST_LOOK_MS, printTimeline } from './timeline.js';

interface LabFlags {
  readonly idleTimeout: number;
  readonly expiry: Expiry;
  readonly backend: 'auto' | BackendName;
  readonly server: readonly Address[];
}

/** One `--server` and where the command reaches it. */
interface Route {
  readonly server: Address;
  readonly at: Address;
}

const HELP = `
The command runs behind a NAT of its own: three network namespaces that nobody else can see and that end with it.
There it has no other network. --server makes a server of this host reachable beyond the NAT. The command finds in
its environment:
  HOLDFAST_LAB_SERVER     address of the server side
  HOLDFAST_LAB_PORT       port of the first --server
  HOLDFAST_LAB_PORT_<N>   port for the --server whose own port is N
What the NAT does is told on stderr. The exit code is the command's, 125 where the lab could not be built.

Example:
  holdfast lab --idle-timeout 5s --server 127.0.0.1:5432 -- sh -c 'PGHOST=$HOLDFAST_LAB_SERVER node app.js'`;

export function addLabCommand(program: Command, terminal: Terminal, exit: (code: number) => void): void {
  program
    .command('lab')
    .summary('run a command behind a NAT that forgets idle flows')
    .description(
      'Runs a command behind a NAT that forgets idle flows, and tells what happens to its connections.',
    )
    .usage('[options] -- COMMAND [ARGS...]')
    .argument('<COMMAND...>', 'what to run')
    .passThroughOptions()
    .addOption(
      new Option('--idle-timeout <DURATION>', 'silence after which the NAT forgets a flow, 10ms to 24h')
        .default(3000, '3s')
        .argParser(durationArgument('--idle-timeout', { min: 10, max: 86_400_000 })),
    )
    .addOption(
      new Option('--expiry <MODE>', 'what then happens: drop, reset-on-packet, reset-at-expiry')
        .default('reset-on-packet')
        .argParser(choiceArgument('--expiry', ['drop', 'reset-on-packet', 'reset-at-expiry'])),
    )
    .addOption(
      new Option('--backend <NAME>', 'auto, kernel, emulated')
        .default('auto')
        .argParser(choiceArgument('--backend', ['auto', 'kernel', 'emulated'])),
    )
    .addOption(
      new Option('--server <HOST:PORT>', 'a server on loopback to reach beyond the NAT; may be repeated')
        .default([], 'none')
        .argParser((text: string, before: readonly Address[]) => [...before, loopbackAddress(text)]),
    )
    .addHelpText('after', HELP)
    .action(async (command: readonly string[], flags: LabFlags) =>
      exit(await runLab(command, flags, terminal.err)),
    );
}

async function runLab(command: readonly string[], flags: LabFlags, err: Channel): Promise<number> {
  const [program, ...args] = command;
  if (program === undefined) throw new CliError(exitCodes.usage, 'lab: no command; write it after --');
  const lab = await makeLab(flags);
  const listening: FarServer[] = [];
  try {
    announce(lab, err);
    if (lab.backend === 'emulated' && flags.server.length === 0)
      throw new CliError(exitCodes.labFailed, NO_SERVER);
    const routes: Route[] = [];
    for (const server of flags.server) routes.push(await makeRoute(lab, server, listening));
    for (const { server, at } of routes) err.line(`lab: ${formatAddress(server)} is at ${formatAddress(at)}`);
    printTimeline(lab, err);
    const code = await runCommand(lab, [program, ...args], environmentFor(lab, routes));
    await delay(LAST_LOOK_MS);
    return code;
  } finally {
    for (const server of listening) server.close();
    await lab.close();
  }
}

const NO_SERVER =
  "the emulated NAT can't be put round a command: name the server with --server HOST:PORT, and have the command connect to the address that is then printed";

async function makeLab({ idleTimeout, expiry, backend }: LabFlags): Promise<NatLab> {
  try {
    return await createNatLab({ idleTimeout, expiry, backend });
  } catch (error) {
    if (error instanceof LabError) throw new CliError(exitCodes.labFailed, error.message, { cause: error });
    throw error;
  }
}

function announce(lab: NatLab, err: Channel): void {
  const what = `idle timeout ${formatDuration(lab.idleTimeout)}, ${lab.expiry}`;
  if (lab.backend === 'kernel')
    return err.line(`lab: a NAT of this kernel, ${what}; servers are at ${lab.serverAddress}`);
  if (lab.reason !== undefined) err.line(`lab: no NAT of this kernel: ${lab.reason}`);
  err.line(
    `lab: an emulated NAT, ${what}; only payload counts, and only connections to the address below pass it`,
  );
}

async function makeRoute(lab: NatLab, server: Address, listening: FarServer[]): Promise<Route> {
  if (lab.backend === 'emulated') return { server, at: await lab.route(server.port) };
  listening.push(await serveBehindLab(lab, server));
  return { server, at: { host: lab.serverAddress, port: server.port } };
}

function environmentFor(lab: NatLab, routes: readonly Route[]): NodeJS.ProcessEnv {
  const ports = routes.map(({ server, at }) => [`HOLDFAST_LAB_PORT_${server.port}`, String(at.port)]);
  const [first] = routes;
  return {
    ...process.env,
    HOLDFAST_LAB_SERVER: first?.at.host ?? lab.serverAddress,
    ...(first === undefined ? {} : { HOLDFAST_LAB_PORT: String(first.at.port) }),
    ...(Object.fromEntries(ports) as Record<string, string>),
  };
}

/** Only this host's own servers: the lab is no way to put a NAT in front of other people's. */
function loopbackAddress(text: string): Address {
  const address = parseAddress(text, '--server');
  if (/^(?:localhost|127\.0\.0\.1)$/.test(address.host)) return address;
  throw refused('--server', text, '127.0.0.1 or localhost, and a port, such as 127.0.0.1:5432', undefined);
}
