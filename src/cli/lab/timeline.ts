import { formatDuration } from '../../options/durations.js';
import type { Flow, NatLab, PacketEvent } from '../../lab/index.js';
import type { Channel, Style } from '../terminal.js';

/** The lab's kernel backend looks every 250 ms: what happened just before the end is seen by then. */
export const LAST_LOOK_MS = 350;

/** Prints what the NAT does, one line an event. */
export function printTimeline(lab: NatLab, err: Channel): void {
  const tell = (at: number, style: Style, what: string, detail: string): void => {
    const time = `+${(at / 1000).toFixed(2)}s`;
    err.line(
      `${err.paint('dim', `[lab ${time.padStart(8)}]`)} ${err.paint(style, what.padEnd(7))}  ${detail}`,
    );
  };
  lab.on('flow', ({ at, flow }) => tell(at, 'cyan', 'flow', route(flow)));
  lab.on('evicted', ({ at, flow }) => {
    tell(
      at,
      'yellow',
      'evicted',
      `${route(flow)}, forgotten after ${formatDuration(lab.idleTimeout)} of silence`,
    );
  });
  lab.on('reset', event => tell(event.at, 'red', 'reset', `${refused(event)}: answered with a reset`));
  lab.on('dropped', event => tell(event.at, 'red', 'dropped', `${refused(event)}: swallowed`));
}

function route({ client, server, translated }: Flow): string {
  const seenAs = translated === undefined ? '' : ` (seen there as ${translated})`;
  return `${client} -> ${server}${seenAs}`;
}

function refused({ from, packets }: PacketEvent): string {
  return `${packets} ${packets === 1 ? 'packet' : 'packets'} from the ${from} for a forgotten flow`;
}
