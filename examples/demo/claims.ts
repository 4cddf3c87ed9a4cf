import type { Timeline } from './timeline.js';

/** What the demo says it shows, each checked where it happens. */
export class Claims {
  readonly #claims: { readonly text: string; readonly isTrue: boolean }[] = [];

  check(text: string, isTrue: boolean): void {
    this.#claims.push({ text, isTrue });
  }

  /** Prints all of them. @returns whether every one was true */
  summary(timeline: Timeline): boolean {
    for (const { text, isTrue } of this.#claims) timeline.verdict(isTrue, text);
    const failed = this.#claims.filter(({ isTrue }) => !isTrue).length;
    timeline.text('');
    timeline.text(
      failed === 0
        ? `All ${this.#claims.length} claims were checked and are true.`
        : `${failed} of ${this.#claims.length} claims did not come true.`,
    );
    return failed === 0;
  }
}
