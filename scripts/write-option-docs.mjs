// Writes docs/options.md and docs/presets.md from the option table and the presets, so that they can't drift apart.
// Usage: node scripts/write-option-docs.mjs [--check] [BUILD]     BUILD is tsc's output, .build by default.
import { readFile, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { format, resolveConfig } from 'prettier';

const root = new URL('../', import.meta.url);
const pageUrl = name => new URL(`docs/${name}`, root);

/** The pages as they should be, by file name. `build` is the URL of tsc's output directory, with its slash. */
export async function pages(build) {
  const load = name => import(new URL(`src/options/${name}.js`, build).href);
  const { optionTable } = await load('table');
  const { presets } = await load('presets');
  const { formatDuration } = await load('durations');
  return {
    'options.md': await pretty('options.md', optionsPage(optionTable)),
    'presets.md': await pretty('presets.md', presetsPage(presets, formatDuration)),
  };
}

/** The names of the pages that are not as they should be. */
export async function outdated(build) {
  const stale = [];
  for (const [name, text] of Object.entries(await pages(build))) {
    const committed = await readFile(pageUrl(name), 'utf8').catch(() => undefined);
    if (committed !== text) stale.push(name);
  }
  return stale;
}

async function pretty(name, text) {
  const config = await resolveConfig(pageUrl(name));
  return format(text, { ...config, parser: 'markdown' });
}

const NOTICE =
  '<!-- Written by scripts/write-option-docs.mjs. Change the table in src/options, then run it again. -->';

function tableOf(heading, rows) {
  const cells = row => `| ${row.map(cell => String(cell).replaceAll('|', '\\|')).join(' | ')} |`;
  return [cells(heading), cells(heading.map(() => '---')), ...rows.map(cells)].join('\n');
}

function optionsPage(optionTable) {
  const rows = Object.entries(optionTable);
  const fallbackOf = ({ fallback, kind }) =>
    'derived' in fallback ? fallback.derived : kind.show(fallback.value);
  const kernelOf = ({ kernel }) => (kernel === undefined ? '' : ` Kernel: ${kernel}.`);
  return `${NOTICE}

# Options

Options can be given to each call, to a \`Holdfast\` instance, and, for \`holdfast/register\` and \`optionsFromEnv\`, by environment variables.

${tableOf(
  ['Option', 'Type', 'Default', 'Allowed', 'Meaning'],
  rows.map(([key, row]) => [
    `\`${key}\``,
    row.kind.type,
    fallbackOf(row),
    row.kind.range,
    row.meaning + kernelOf(row),
  ]),
)}

## Environment variables

${tableOf(
  ['Variable', 'Option'],
  rows.filter(([, row]) => row.env !== undefined).map(([key, row]) => [`\`${row.env}\``, `\`${key}\``]),
)}

Options that need code (heartbeat, reconnect, resume) and \`maxPendingBytes\` have no variable. A boolean is \`true\`, \`1\`, \`yes\`, \`on\`, \`false\`, \`0\`, \`no\` or \`off\`. \`false\` or \`off\` turns off an option that can be turned off. Spaces round a value don't count. An empty variable is a mistake, not a default: unset it. An unknown name that starts with \`HOLDFAST_\` is a mistake too, unless it starts with \`HOLDFAST_TEST_\`, \`HOLDFAST_BENCH_\` or \`HOLDFAST_LAB_\`.

## Durations

A number is milliseconds. Text is a number and a unit: \`'500ms'\`, \`'30s'\`, \`'2m'\`, \`'1.5h'\`, \`'1d'\`. Text without a unit is milliseconds as well, so \`HOLDFAST_KEEPALIVE_IDLE=30\` asks for 30 ms; that is too short and refused with the hint to write \`30s\`. Take care with \`userTimeout\` and \`probeTimeout\`, for which a few milliseconds are allowed: always write the unit. Words (\`'1 year'\`), signs, \`NaN\`, \`Infinity\` and empty text are refused.

The kernel counts \`keepalive.idle\` and \`keepalive.interval\` in whole seconds. A value between two seconds is rounded up: \`'1500ms'\` becomes 2 s, and that is what you read back. Every other duration is rounded up to whole milliseconds.

## What wins

For each option by itself, from strongest to weakest:

1. the options of the call, then the preset they name;
2. the options of the instance, then the preset they name;
3. the environment variable, then the preset \`HOLDFAST_PRESET\` names;
4. the default.

Defaults that are derived follow what won: with \`keepalive.idle: '60s'\` and nothing else, \`userTimeout\` is 90 s. A derived \`userTimeout\` stops at 2147483647 ms.

\`undefined\` means "not set". \`0\` is a value. \`null\` is refused.

## Mistakes

Unknown names, wrong types and values out of range are refused before anything is done with a socket. One error, code \`ERR_HOLDFAST_OPTIONS\`, lists all of them, from the options and the environment together. Its \`problems\` has an entry for each, with \`key\`, \`value\`, \`range\`, \`origin\` and, where there is one, \`hint\`:

\`\`\`
2 wrong options:
  keepalive.idle = "30" (from HOLDFAST_KEEPALIVE_IDLE); allowed: 1s to 32767s; 30 means 30 ms; write 30s
  keepalive.count = 1.5 (from options); allowed: a whole number, 1 to 127
\`\`\`

A value under an unknown name is never shown, in case it is a secret; functions and objects are named, not printed; a password in a URL is masked.
`;
}

function presetsPage(presets, formatDuration) {
  const rangeOf = ({ configurable }) =>
    configurable === undefined
      ? ''
      : `${formatDuration(configurable.min)} to ${formatDuration(configurable.max)}`;
  const mark = confidence => (confidence === 'vendor' ? '' : ` (${confidence})`);
  const heartbeatOf = ({ settings }) =>
    settings.heartbeatInterval === undefined ? '' : formatDuration(settings.heartbeatInterval);
  return `${NOTICE}

# Presets

A preset is a NAT, balancer or firewall by name. It sets \`keepalive\` so that a connection outlives that device's idle timeout, and options you set yourself win over it:

\`\`\`js
harden(socket, { preset: 'aws-nat-gateway' });
\`\`\`

or \`HOLDFAST_PRESET=aws-nat-gateway\`. The default settings (30 s, 10 s, 3) already suit every device here that counts keepalives; a preset saves packets behind the patient ones and is exact about the short ones. If an operator changed the device's timeout, set \`keepalive.idle\` to a third of it instead.

${tableOf(
  [
    'Preset',
    'Device',
    'Idle timeout',
    'Can be set to',
    'Then',
    'keepalive idle, interval, count',
    'heartbeat interval',
  ],
  presets.map(preset => [
    `\`${preset.name}\``,
    preset.title,
    formatDuration(preset.idleTimeout) + mark(preset.confidence),
    rangeOf(preset),
    preset.expiry + mark(preset.expiryConfidence),
    `${formatDuration(preset.settings.keepalive.idle)}, ${formatDuration(preset.settings.keepalive.interval)}, ${preset.settings.keepalive.count}`,
    heartbeatOf(preset),
  ]),
)}

The first keepalive leaves after a third of the timeout, at most two minutes. It may be lost and repeated twice, and the last repetition still arrives in time.

## Payload only

These devices end the TCP connection on one side and open another on the other, or count bytes alone, so a TCP keepalive does not keep them interested: ${presets
    .filter(preset => preset.payloadOnly)
    .map(preset => `\`${preset.name}\``)
    .join(
      ', ',
    )}. Their preset brings a \`heartbeat.interval\` of half the timeout, at most two minutes. What to send only you know, so a heartbeat still needs \`send\`:

\`\`\`js
harden(socket, { preset: 'aws-alb', heartbeat: { send: () => 'PING\\r\\n' } });
\`\`\`

Without \`heartbeat\` such a preset sets keepalive only, and the device will close a connection that is idle.

## Where the figures are from

"(secondary)" marks a figure or a behaviour taken from someone other than its maker, "(memory)" one that is common knowledge without a document we could name. Vendors change defaults: check yours.

${tableOf(
  ['Preset', 'Source'],
  presets.map(preset => [`\`${preset.name}\``, preset.source]),
)}

Home gateways and cellular networks have no preset, because they have no one figure. A study of 34 home gateways (Hätönen and others, IMC 2010) and one of 73 cellular carriers (Wang and others, SIGCOMM 2011) found anything from hours on average at home to five minutes or less at a few carriers. Leave \`keepalive\` at its default there.
`;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const args = process.argv.slice(2);
  const build = pathToFileURL(`${resolve(args.find(arg => arg !== '--check') ?? '.build')}/`);
  if (args.includes('--check')) {
    const stale = await outdated(build);
    for (const name of stale)
      console.error(`docs/${name} is not current: run node scripts/write-option-docs.mjs`);
    process.exitCode = stale.length > 0 ? 1 : 0;
  } else {
    for (const [name, text] of Object.entries(await pages(build))) await writeFile(pageUrl(name), text);
  }
}
