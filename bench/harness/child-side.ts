import type { Reply } from './messages.js';

/** The measuring process's end of the channel to main. */

/** What this process is to do, given as JSON in its first argument. */
export function jobFromArguments(): unknown {
  return JSON.parse(process.argv[2] ?? 'null');
}

/** Answers main's requests one after another. The process ends with the channel, so that none is left behind. */
export function answerRequests<R extends string>(answers: Readonly<Record<R, () => Promise<unknown>>>): void {
  process.on('disconnect', () => process.exit());
  process.on('message', (request: R) => {
    answers[request]().then(
      value => reply({ value: value ?? null }),
      (error: unknown) =>
        reply({ failure: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
    );
  });
}

function reply(message: Reply): void {
  process.send?.(message);
}
