/** An error by its code or name, its message, and what caused it. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return 'not an error';
  const { code, cause } = error as { code?: string; cause?: unknown };
  return `${code ?? error.name} ${error.message}${cause === undefined ? '' : `: ${describeError(cause)}`}`;
}
