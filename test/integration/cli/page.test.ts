import { expect } from 'chai';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { probePage } from '../../../src/cli/probe/page.js';
import { forgetting, reportOf } from '../../unit/cli/probe/sample.js';
import { collect } from './run-cli.js';

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(
  existsSync,
);
const QUIET = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

describe(`the page of holdfast probe, in a browser${CHROMIUM === undefined ? ' (skipped: chromium is not installed)' : ''}`, function () {
  this.timeout(60_000);
  let folder: string;

  before(async function () {
    if (CHROMIUM === undefined) {
      if (process.env['HOLDFAST_TEST_FULL'] === '1')
        throw new Error('HOLDFAST_TEST_FULL=1, but chromium is not installed');
      return this.skip();
    }
    folder = await mkdtemp(join(tmpdir(), 'holdfast-page-'));
  });
  after(async () => {
    if (CHROMIUM !== undefined) await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  });

  /** Loads a page and returns what the browser made of it. */
  async function dom(html: string): Promise<string> {
    const file = join(folder, 'page.html');
    await writeFile(file, html);
    const profile = `--user-data-dir=${join(folder, 'profile')}`;
    // Its own configuration and cache go there too, not into the home of whoever runs the tests.
    const env = { ...process.env, HOME: folder, XDG_CONFIG_HOME: folder, XDG_CACHE_HOME: folder };
    const args = [...QUIET, profile, '--dump-dom', pathToFileURL(file).href];
    return (await collect(spawn(CHROMIUM ?? '', args, { env }))).stdout;
  }

  it('draws every trial at its place, near the band of the limit, and has the figures in its text', async () => {
    const page = probePage(reportOf(forgetting));
    // A script of the test's own, which the page's policy would not allow: what was laid out, as text.
    const measuring = `<script>
      const box = element => element.getBoundingClientRect();
      const svg = document.querySelector('svg');
      document.body.dataset.plot = JSON.stringify({
        plot: [box(svg).width, box(svg).height],
        survivors: [...svg.querySelectorAll('.survived circle')].map(each => box(each).x),
        band: box(svg.querySelector('.limit')).x,
        ink: getComputedStyle(document.body).color,
      });
    </script>`;
    const text = await dom(
      page.replace(/<meta http-equiv[^>]*>/, '').replace('</body>', `${measuring}</body>`),
    );
    const [, found = ''] = /data-plot="([^"]*)"/.exec(text) ?? [];
    const { plot, survivors, band, ink } = JSON.parse(found.replaceAll('&quot;', '"')) as {
      plot: [number, number];
      survivors: number[];
      band: number;
      ink: string;
    };
    expect(plot[0]).to.be.above(400);
    expect(plot[1]).to.be.above(80);
    expect(survivors).to.have.length(3);
    expect(survivors).to.deep.equal([...survivors].sort((a, b) => a - b));
    expect(Math.max(...survivors)).to.be.closeTo(band, 12); // the longest survivor stands where the band begins
    expect(ink).to.match(/^rgb/);
    for (const figure of ['350s', '342s', '358s', 'HOLDFAST_KEEPALIVE_IDLE=114s'])
      expect(text).to.include(figure);
  });

  it('is as it was written under its own policy: nothing is fetched, nothing runs', async () => {
    const page = probePage(reportOf(forgetting));
    const text = await dom(page.replace('</body>', '<script>document.title = "ran"</script></body>'));
    expect(text).to.include('<title>holdfast probe: db.internal:5432</title>');
    expect(text.match(/<circle /g)).to.have.length(4);
  });
});
