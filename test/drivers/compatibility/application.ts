/*
 * What the applications of this folder have in common. They know nothing of holdfast: they use a driver the way its
 * documentation shows, at the address in LAB_URL.
 */

/** One line of an application's output. */
export interface Line {
  /** It has done its work once and falls silent. */
  readonly isIdle?: true;
  /** What became of the work after the silence. Without `error` it was answered. */
  readonly error?: string;
  /** The same once more, where the first try after the silence failed. */
  readonly isUsableAgain?: boolean;
}

/** Where the server is. */
export const url = new URL(process.env['LAB_URL'] ?? '');

/** Works, is silent until a word comes on standard input, works again, and exits. */
export async function workTwice(work: () => Promise<unknown>): Promise<never> {
  await work();
  print({ isIdle: true });
  await new Promise(resolve => process.stdin.once('data', resolve));
  const error = await errorOf(work);
  if (error === undefined) print({});
  else print({ error, isUsableAgain: (await errorOf(work)) === undefined });
  process.exit(0);
}

async function errorOf(work: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    const { cause } = error as Error;
    return [error, ...(cause === undefined ? [] : [cause])].map(one => describe(one)).join(': ');
  }
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return 'not an error';
  return `${(error as { code?: string }).code ?? error.name} ${error.message}`;
}

function print(line: Line): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
