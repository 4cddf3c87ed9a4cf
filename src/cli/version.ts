import { readFileSync } from 'node:fs';

const NAME = 'holdfast';

/** The package's version; the file is one level higher in the published package than in the tests' build. */
export function packageVersion(): string {
  for (const path of ['../../package.json', '../../../package.json', '../../../../package.json']) {
    try {
      const { name, version } = JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')) as {
        name?: unknown;
        version?: unknown;
      };
      if (name === NAME && typeof version === 'string') return version;
    } catch {
      // not there: one level up
    }
  }
  return 'unknown';
}
