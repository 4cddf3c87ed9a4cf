/**
 * For a `before` hook: skips the suite because a server's program is missing, and names it. With HOLDFAST_TEST_FULL=1
 * it fails instead.
 */
export function skipForMissing(context: Mocha.Context, capability: string): never {
  if (process.env['HOLDFAST_TEST_FULL'] === '1') throw new Error(`HOLDFAST_TEST_FULL=1, but ${capability}`);
  context.test?.parent?.eachTest(test => (test.title += ` (skipped: ${capability})`));
  return context.skip();
}
