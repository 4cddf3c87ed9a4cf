import type { Command } from 'commander';
import { formatDuration } from '../options/durations.js';
import { presets } from '../options/presets.js';
import { JSON_SCHEMA, toJson } from './json.js';
import type { Terminal } from './terminal.js';
import { textTable } from './text-table.js';

export function addPresetsCommand(program: Command, { out }: Terminal): void {
  program
    .command('presets')
    .summary('list the NATs and balancers known by name')
    .description(
      'Lists the NATs, balancers and firewalls HOLDFAST_PRESET knows, their idle timeouts and sources.',
    )
    .option('--json', 'print them as JSON', false)
    .action(({ json }: { readonly json: boolean }) => {
      if (json) return out.line(toJson({ schema: JSON_SCHEMA, command: 'presets', presets }));
      const rows = presets.map(({ name, idleTimeout, payloadOnly, source }) => [
        name,
        formatDuration(idleTimeout),
        payloadOnly ? 'payload' : 'any packet',
        source,
      ]);
      for (const line of textTable(['preset', 'forgets', 'counts', 'source'], rows)) out.line(line);
    });
}
