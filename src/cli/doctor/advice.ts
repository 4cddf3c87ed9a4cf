import type { AppliedSettings, SettingReport } from '../../kernel/kernel.js';
import { formatDuration } from '../../options/durations.js';
import { findPreset, presets } from '../../options/presets.js';
import { describeProblem } from '../../options/problems.js';
import type { ConnectionReport } from './connection.js';
import type { EnvironmentReport } from './environment.js';
import type { Capabilities, KernelDefaults } from './system.js';

/** One thing to know. A `problem` makes doctor exit with 1, a `hint` does not. */
export interface Advice {
  readonly level: 'problem' | 'hint';
  readonly text: string;
}

export interface AdviceFacts {
  readonly defaults: KernelDefaults;
  readonly capabilities: Capabilities;
  readonly environment: EnvironmentReport;
  /** From the connection, or from one over loopback where none was asked for. */
  readonly settings: AppliedSettings | undefined;
  readonly connection: ConnectionReport | undefined;
}

const problem = (text: string): Advice => ({ level: 'problem', text });
const hint = (text: string): Advice => ({ level: 'hint', text });

export function advise(facts: AdviceFacts): Advice[] {
  return [
    ...facts.environment.problems.map(each => problem(describeProblem(each))),
    ...settingAdvice(facts),
    ...timeAdvice(facts.environment),
    ...connectionAdvice(facts.connection),
    ...defaultAdvice(facts.defaults),
  ];
}

function settingAdvice({ settings, capabilities }: AdviceFacts): Advice[] {
  if (settings === undefined)
    return [hint('no connection, so it is not shown what the kernel makes of the settings')];
  const entries = Object.entries(settings) as [string, SettingReport<number | boolean> | undefined][];
  const failed = entries.flatMap(([name, report]) =>
    report?.reason === undefined || isOnlyUnread(report)
      ? []
      : [problem(`${name} does not hold: ${report.reason}`)],
  );
  if (capabilities.canRead) return failed;
  const why = 'nothing can be read back here, no path be probed, and verdicts are less certain';
  return [...failed, hint(`${why}: the koffi package gives all three`)];
}

/** It was set without an error; what became of it nothing here can tell. */
function isOnlyUnread({ binding, effective }: SettingReport<number | boolean>): boolean {
  return binding !== undefined && effective === undefined;
}

/** Which devices the keepalive comes too late for. */
function timeAdvice({ options, variables }: EnvironmentReport): Advice[] {
  const { keepalive, preset, userTimeout } = options;
  const found: Advice[] = [];
  const late = presets.filter(
    ({ payloadOnly, idleTimeout }) => !payloadOnly && idleTimeout <= keepalive.idle,
  );
  const names = late.map(({ name, idleTimeout }) => `${name} (${formatDuration(idleTimeout)})`);
  const idle = formatDuration(keepalive.idle);
  if (late.length > 0) {
    found.push(
      problem(`keepalive.idle = ${idle} comes too late for ${names.join(', ')}; the default is 30s`),
    );
  } else {
    found.push(
      hint(`keepalive after ${idle} is in time for every device of \`holdfast presets\` that counts packets`),
    );
  }
  if (preset !== undefined && findPreset(preset)?.payloadOnly === true) {
    found.push(
      hint(`${preset} counts payload only: keepalive does not help there, set a heartbeat in the code`),
    );
  }
  if (userTimeout === false) {
    found.push(hint('userTimeout is off: a write into a dead path hangs until the kernel gives up'));
  }
  if (Object.keys(variables).length === 0)
    found.push(hint('no HOLDFAST_* variable is set: these are the defaults'));
  return found;
}

function connectionAdvice(connection: ConnectionReport | undefined): Advice[] {
  if (connection === undefined) return [];
  if (!connection.connected) return [problem(connection.error)];
  const { address, probe, tls } = connection;
  const found: Advice[] = [];
  if (probe?.alive === false) found.push(problem('the path gave no answer to a keepalive probe'));
  if (tls?.problem !== undefined) found.push(problem(`the TLS certificate is not trusted: ${tls.problem}`));
  if (isLoopback(address)) {
    found.push(hint('this is loopback: there is no NAT in between'));
  } else {
    found.push(hint('`holdfast probe` with this address measures how long the path remembers an idle flow'));
  }
  return found;
}

function defaultAdvice({ idle }: KernelDefaults): Advice[] {
  if (idle === undefined) return [];
  const late = presets.filter(({ payloadOnly, idleTimeout }) => !payloadOnly && idleTimeout <= idle).length;
  const text = `a socket with the kernel's own keepalive would first send one after ${formatDuration(idle)}: too late for ${late} of the ${presets.length} devices known`;
  return late === 0 ? [] : [hint(text)];
}

function isLoopback(address: string | undefined): boolean {
  return address !== undefined && /^(?:127\.|::1$|::ffff:127\.)/.test(address);
}
