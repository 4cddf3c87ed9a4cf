/** The two places the command line writes to. */
export interface Terminal {
  /** Results. */
  readonly out: Channel;
  /** Progress, timelines, complaints. */
  readonly err: Channel;
}

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';

export interface Channel {
  line(text?: string): void;
  /** Colours `text` where the channel is a terminal that wants colour; see https://no-color.org. */
  paint(style: Style, text: string): string;
  readonly isTTY: boolean;
}

const CODES: Readonly<Record<Style, readonly [on: number, off: number]>> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
};

export interface Writable {
  readonly isTTY?: boolean | undefined;
  write(text: string): unknown;
}

export function channel(stream: Writable, env: NodeJS.ProcessEnv): Channel {
  const isTTY = stream.isTTY === true;
  const noColor = (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb';
  const hasColor = isTTY && !noColor;
  return {
    isTTY,
    line: (text = '') => void stream.write(`${text}\n`),
    paint: (style, text) => {
      const [on, off] = CODES[style];
      return hasColor ? `\u001b[${on}m${text}\u001b[${off}m` : text;
    },
  };
}

export function processTerminal(): Terminal {
  // A reader that went away (`holdfast probe ... | head`) is no failure of ours.
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
    });
  }
  return { out: channel(process.stdout, process.env), err: channel(process.stderr, process.env) };
}
