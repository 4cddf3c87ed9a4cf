const npmCi = ['npm', 'ci', '--ignore-scripts'];
/** How each suite is installed and run. `tag` names the tag of the version in node_modules, or a fixed one. */
export const SUITES = {
  pg: {
    repository: 'https://github.com/brianc/node-postgres.git',
    tag: version => `pg@${version}`,
    install: [
      ['npx', '--yes', 'yarn@1', 'install', '--frozen-lockfile', '--ignore-scripts'],
      ['npx', 'tsc', '--build'],
    ],
    server: 'postgres',
    env: {
      PGHOST: 'localhost',
      PGUSER: 'postgres',
      PGPASSWORD: 'postgres',
      PGDATABASE: 'ci_db_test',
      PGTESTNOSSL: 'true',
      SCRAM_TEST_PGUSER: 'scram_test',
      SCRAM_TEST_PGPASSWORD: 'test4scram',
      SCRAM_TEST_PGUSER_UNICODE: 'scram_unicode_test',
      SCRAM_TEST_PGPASSWORD_UNICODE: 'IX-\u2168',
    },
    runs: [
      {
        kind: 'script',
        folder: 'packages/pg',
        files: [['test/unit', 'test/integration'], /-tests\.js$/],
        lines: /^ {2}(?<name>\S.*?) (?:(?<passed>✔)|(?<failed>FAILED!)|(?<skipped>\? - SKIPPED))$/gm,
      },
      { kind: 'mocha', folder: 'packages/pg-pool', args: ['--timeout', '20000'] },
    ],
  },
  mysql2: {
    repository: 'https://github.com/sidorares/node-mysql2.git',
    tag: version => `v${version}`,
    install: [npmCi],
    server: 'mariadb',
    env: { MYSQL_HOST: '127.0.0.1', MYSQL_USER: 'root', MYSQL_DATABASE: 'test' },
    runs: [{ kind: 'poku', args: [] }],
  },
  ioredis: {
    repository: 'https://github.com/redis/ioredis.git',
    tag: version => `v${version}`,
    install: [npmCi],
    server: 'redis',
    env: { TS_NODE_TRANSPILE_ONLY: 'true', NODE_ENV: 'test' },
    runs: [
      {
        kind: 'mocha',
        args: ['test/helpers/*.ts', 'test/unit/**/*.ts', 'test/functional/**/*.ts'],
        isTs: true,
      },
    ],
  },
  redis: {
    repository: 'https://github.com/redis/node-redis.git',
    tag: version => `redis@${version}`,
    install: [npmCi, ['node', 'node_modules/typescript/bin/tsc', '--build']],
    server: 'redis-docker',
    runs: [
      {
        kind: 'mocha',
        folder: 'packages/client',
        // Without the sentinels, whose containers are not only a server.
        args: ['-r', 'tsx', '--exit', '--redis-tag=7.0', '--redis-version=7.0'].concat([
          '--ignore',
          './lib/sentinel/*',
          '--ignore',
          './lib/tests/**',
          './lib/**/*.spec.ts',
        ]),
      },
    ],
  },
  amqplib: {
    repository: 'https://github.com/amqp-node/amqplib.git',
    tag: 'v2.0.1',
    install: [npmCi],
    server: 'rabbitmq',
    runs: [{ kind: 'node-test', args: ['--test-timeout=10000'], files: [['test'], /\.test\.js$/] }],
  },
  nodemailer: {
    repository: 'https://github.com/nodemailer/nodemailer.git',
    tag: 'v9.0.5',
    install: [npmCi],
    runs: [
      {
        kind: 'node-test',
        args: ['--test-concurrency=1', '--test-timeout=300000'],
        // Two files speak to servers of the Internet.
        files: [['test'], /^(?!.*(?:http-proxy-client|ethereal)-test).*[-.]test\.js$/],
      },
    ],
  },
  imapflow: {
    repository: 'https://github.com/postalsys/imapflow.git',
    tag: version => `v${version}`,
    install: [npmCi],
    runs: [
      {
        kind: 'script',
        program: 'node_modules/nodeunit-x/bin/nodeunit',
        files: [['test'], /^test\/[^/]+-test\.js$/],
        lines: /^(?:(?<passed>✔)|(?<failed>✖)) (?<name>.+)$/gm,
      },
    ],
  },
  ssh2: {
    repository: 'https://github.com/mscdex/ssh2.git',
    tag: 'v1.17.0',
    install: [['npm', 'install', '--ignore-scripts', '--no-package-lock']],
    runs: [{ kind: 'script', files: [['test'], /^test\/test-.*\.js$/] }],
  },
};
