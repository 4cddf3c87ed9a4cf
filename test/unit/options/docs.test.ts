import { expect } from 'chai';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { optionKeys, optionTable } from '../../../src/options/table.js';

interface Script {
  pages(build: URL): Promise<Readonly<Record<string, string>>>;
}

describe('the option pages', () => {
  // Tests run in the project's root, wherever they were compiled to.
  const script = pathToFileURL(resolve('scripts/write-option-docs.mjs')).href;
  const build = new URL('../../../', import.meta.url);

  for (const name of ['options.md', 'presets.md']) {
    it(`docs/${name} is what the table and the presets say (else run scripts/write-option-docs.mjs)`, async () => {
      const { pages } = (await import(script)) as Script;
      expect(await readFile(`docs/${name}`, 'utf8')).to.equal((await pages(build))[name]);
    });
  }

  it('name every option and every variable', async () => {
    const page = await readFile('docs/options.md', 'utf8');
    for (const key of optionKeys) {
      expect(page).to.contain(`\`${key}\``);
      const { env } = optionTable[key];
      if (env !== undefined) expect(page).to.contain(`\`${env}\``);
    }
  });

  it('show in their example the message the library really gives', async () => {
    const { resolveOptions } = await import('../../../src/options/resolve.js');
    const { refusal } = await import('./refused.js');
    const env = { HOLDFAST_KEEPALIVE_IDLE: '30' };
    const { message } = refusal(() => resolveOptions({ keepalive: { count: 1.5 } }, { env }));
    const page = await readFile('docs/options.md', 'utf8');
    for (const line of message.split('\n')) expect(page).to.contain(line);
  });
});
