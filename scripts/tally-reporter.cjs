// Mocha's spec reporter, which also adds its counts to the file named by HOLDFAST_TEST_TALLY.
const { appendFileSync } = require('node:fs');
const { reporters, Runner } = require('mocha');

module.exports = class Tally extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    runner.once(Runner.constants.EVENT_RUN_END, () => {
      const file = process.env.HOLDFAST_TEST_TALLY;
      if (!file) return;
      const { passes, failures, pending } = this.stats;
      appendFileSync(file, `${JSON.stringify({ passes, failures, pending })}\n`);
    });
  }
};
