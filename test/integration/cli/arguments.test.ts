import { expect } from 'chai';
import { runCli } from './run-cli.js';

describe('holdfast, the command', () => {
  it('documents its exit codes in --help', async () => {
    const { code, stdout } = await runCli(['--help']);
    expect(code).to.equal(0);
    for (const word of ['doctor', 'probe', 'lab', 'Exit codes:', '130']) expect(stdout).to.include(word);
  });

  it('tells its version', async () => {
    expect((await runCli(['--version'])).stdout).to.match(/^\d+\.\d+\.\d+\n$/);
  });

  it('lists the presets', async () => {
    const { code, stdout } = await runCli(['presets']);
    expect(code).to.equal(0);
    expect(stdout).to.match(/aws-nat-gateway +350s/);
  });

  const wrong: readonly [string[], RegExp][] = [
    [['probe', 'db.internal'], /HOST:PORT = "db\.internal"; allowed: .*; the port is missing/],
    [
      ['probe', 'db:5432', '--max', '600'],
      /--max = "600"; allowed: 2s to 86400s; 600 means 600 ms; write 600s/,
    ],
    [
      ['probe', 'db:5432', '--connections', '1000'],
      /--connections = "1000"; allowed: a whole number, 2 to 64/,
    ],
    [['probe', 'db:5432', '--tsl'], /unknown option '--tsl' \(Did you mean --tls\?\)/],
    [['probe'], /missing required argument 'HOST:PORT'/],
    [
      ['probe', 'db:5432', '--html', '/nonexistent/page.html'],
      /--html: can't write \/nonexistent\/page\.html: ENOENT/,
    ],
    [['doctor', '::1:80'], /write \[::1\]:80/],
    [['lab'], /missing required argument 'COMMAND'/],
    [
      ['lab', '--expiry', 'rest', '--', 'true'],
      /--expiry = "rest"; allowed: drop, reset-on-packet, reset-at-expiry/,
    ],
    [
      ['lab', '--server', 'db.internal:5432', '--', 'true'],
      /--server = "db\.internal:5432"; allowed: 127\.0\.0\.1/,
    ],
    [['prob'], /unknown command 'prob' \(Did you mean probe\?\)/],
  ];
  for (const [args, line] of wrong) {
    it(`answers \`${args.join(' ')}\` with one line and exit code 2`, async () => {
      const { code, stdout, stderr } = await runCli(args);
      expect(stderr)
        .to.match(line)
        .and.to.match(/^holdfast: [^\n]*\n$/);
      expect(stdout).to.equal('');
      expect(code).to.equal(2);
    });
  }

  it('exits with 3 and one line where nobody listens', async () => {
    const { code, stderr } = await runCli(['probe', '127.0.0.1:1']);
    expect(stderr).to.include("can't connect to 127.0.0.1:1: nobody listens there (ECONNREFUSED)");
    expect(stderr).to.not.include('    at ');
    expect(code).to.equal(3);
  });
});
