import type { AppliedSettings, SettingReport } from '../../kernel/kernel.js';
import { formatDuration } from '../../options/durations.js';
import { optionTable } from '../../options/table.js';
import { formatAddress } from '../arguments.js';
import { JSON_SCHEMA, toJson } from '../json.js';
import type { Channel } from '../terminal.js';
import { textTable } from '../text-table.js';
import { packageVersion } from '../version.js';
import type { DoctorReport } from './command.js';
import type { KernelDefaults } from './system.js';

type Lines = readonly string[];

export function printDoctor(report: DoctorReport, out: Channel): void {
  const sections: readonly [string, Lines][] = [
    ['This machine', machine(report)],
    ['Kernel defaults', defaults(report.defaults)],
    ['Environment', environment(report)],
    [settingsTitle(report), settingLines(report.settings, out)],
    ['Connection', connection(report)],
    ['Advice', advice(report, out)],
  ];
  sections
    .filter(([, lines]) => lines.length > 0)
    .forEach(([title, lines], index) => {
      if (index > 0) out.line();
      out.line(out.paint('bold', title));
      for (const line of lines) out.line(line);
    });
}

export function doctorJson(report: DoctorReport): string {
  return toJson({ schema: JSON_SCHEMA, command: 'doctor', version: packageVersion(), ...report });
}

function machine({ capabilities }: DoctorReport): Lines {
  const { node, platform, arch, bindings, unavailable, canRead } = capabilities;
  const own = capabilities.nodeSetsIntervalAndCount ? 'sets' : "can't set";
  return [
    `  holdfast ${packageVersion()}, Node ${node}, ${platform} ${arch}`,
    `  Node's own setKeepAlive ${own} interval and count`,
    ...bindings.map(({ name, sets }) => `  ${name} sets ${sets.join(', ')}`),
    ...Object.entries(unavailable).map(([name, reason = '']) => `  ${name} can't be used: ${reason}`),
    canRead
      ? '  settings are read back, paths can be probed'
      : '  nothing can be read back, no path can be probed',
  ];
}

function defaults({ idle, interval, count, retries }: KernelDefaults): Lines {
  const time = (value: number | undefined): string =>
    value === undefined ? 'unknown' : formatDuration(value);
  return [
    `  keepalive (where it is on at all): idle ${time(idle)}, interval ${time(interval)}, count ${count ?? 'unknown'}`,
    `  retransmissions of an unanswered write: ${retries ?? 'unknown'}${retries === 15 ? ', about 15 minutes' : ''}`,
  ];
}

function environment({ environment: { variables, options } }: DoctorReport): Lines {
  const { keepalive, userTimeout, probeAfterIdle, preset, backend, strict, learn } = options;
  const off = (value: number | false): string => (value === false ? 'off' : formatDuration(value));
  const set = Object.entries(variables).map(
    ([name, value]) => `  ${name}=${JSON.stringify(value).slice(1, -1)}`,
  );
  return [
    ...set,
    `  keepalive ${formatDuration(keepalive.idle)}, ${formatDuration(keepalive.interval)}, ${keepalive.count}; userTimeout ${off(userTimeout)}; probeAfterIdle ${off(probeAfterIdle)}`,
    `  preset ${preset ?? 'none'}; backend ${backend}; learn ${learn}; strict ${strict}`,
  ];
}

function settingsTitle({ connection: found }: DoctorReport): string {
  const title = 'What the kernel makes of it';
  return found?.connected === true ? title : `${title} (a connection over loopback)`;
}

function settingLines(settings: AppliedSettings | undefined, out: Channel): Lines {
  if (settings === undefined) return [];
  const kernelNames: Readonly<Record<string, string | undefined>> = {
    keepalive: 'SO_KEEPALIVE',
    idle: optionTable['keepalive.idle'].kernel,
    interval: optionTable['keepalive.interval'].kernel,
    count: optionTable['keepalive.count'].kernel,
    userTimeout: optionTable.userTimeout.kernel,
  };
  const entries = Object.entries(settings) as [string, SettingReport<number | boolean>][];
  const rows = entries.map(([name, { requested, effective, binding, reason }]) => [
    kernelNames[name] ?? name,
    shown(name, requested),
    shown(name, effective),
    binding ?? '',
    reason === undefined
      ? { text: 'ok', paint: (text: string) => out.paint('green', text) }
      : {
          text: reason,
          paint: (text: string) =>
            out.paint(binding !== undefined && effective === undefined ? 'yellow' : 'red', text),
        },
  ]);
  return textTable(['option', 'asked', 'holds', 'set by', ''], rows);
}

function shown(name: string, value: number | boolean | undefined): string {
  if (value === undefined) return 'unknown';
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  return name === 'count' ? String(value) : formatDuration(value);
}

function connection({ target, connection: found }: DoctorReport): Lines {
  if (target === undefined || !found?.connected) return [];
  const { address, roundTrip, probe, tls } = found;
  const asked =
    probe === undefined
      ? 'not asked'
      : probe.alive
        ? `answered within ${Math.ceil(probe.rtt ?? 0)} ms`
        : 'no answer';
  return [
    `  ${formatAddress(target)}${address === undefined || address === target.host ? '' : ` at ${address}`}`,
    `  round trip ${milliseconds(roundTrip)} (the kernel's figure); a keepalive probe: ${asked}`,
    ...(tls === undefined ? [] : [`  ${tls.protocol}, certificate ${tls.problem ?? 'trusted'}`]),
  ];
}

function milliseconds(value: number | undefined): string {
  return value === undefined ? 'unknown' : `${value.toFixed(value < 10 ? 2 : 0)} ms`;
}

function advice(report: DoctorReport, out: Channel): Lines {
  return report.advice.map(({ level, text }) =>
    level === 'problem'
      ? `  ${out.paint('red', 'problem')}  ${text}`
      : `  ${out.paint('cyan', 'note')}     ${text}`,
  );
}
