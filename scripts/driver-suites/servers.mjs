import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { run } from './run.mjs';

/**
 * Servers with no data of anybody's, on the ports the suites ask for. The commands are split at spaces: `makes` are run
 * first, then `command`, which has started once it says `words`; `sets` are run then, `ends` when it is gone. `$` stands
 * for the server's folder, `$bin` for PostgreSQL's programs.
 */
const SERVERS = {
  postgres: {
    // It refuses to be root.
    account: 'postgres',
    makes: [
      '$bin/initdb -D $/data -U postgres --auth-local=trust --auth-host=scram-sha-256 --pwfile=$/password -N --locale=C -E UTF8',
      'openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost -keyout $/data/server.key -out $/data/server.crt',
    ],
    command:
      '$bin/postgres -D $/data -k $ -c ssl=on -c listen_addresses=localhost -c port=5432 -c fsync=off -c authentication_timeout=10s',
    words: 'ready to accept connections',
    signal: 'SIGQUIT',
    files: {
      password: 'postgres\n',
      'set-up.sql': `SET password_encryption = 'scram-sha-256';
        CREATE ROLE scram_test LOGIN PASSWORD 'test4scram';
        CREATE DATABASE ci_db_test;
        CREATE ROLE scram_unicode_test LOGIN PASSWORD U&'IX-\\2168';`,
    },
    sets: ['$bin/psql -q -h $ -U postgres -d postgres -f $/set-up.sql'],
    version: '$bin/postgres --version',
  },

  mariadb: {
    makes: [
      'mariadb-install-db --no-defaults --datadir=$/data --user=root --auth-root-authentication-method=normal --skip-name-resolve --skip-test-db',
    ],
    command:
      'mariadbd --no-defaults --datadir=$/data --user=root --socket=$/socket --pid-file=$/pid --bind-address=127.0.0.1 --port=3306 --skip-name-resolve --local-infile=1 --init-file=$/set-up.sql',
    files: { 'set-up.sql': 'CREATE DATABASE test;\n' },
    words: 'ready for connections',
    signal: 'SIGTERM',
    version: 'mariadbd --version',
  },

  redis: {
    command: 'redis-server $/redis.conf',
    files: {
      'redis.conf': 'port 6379\nbind 127.0.0.1 -::1\nsave ""\nappendonly no\nenable-debug-command yes\n',
    },
    words: 'Ready to accept connections',
    signal: 'SIGTERM',
    version: 'redis-server --version',
  },

  rabbitmq: {
    account: 'rabbitmq',
    env: {
      HOME: '$',
      ERL_EPMD_ADDRESS: '127.0.0.1',
      ERL_EPMD_PORT: '14369',
      RABBITMQ_NODENAME: 'suite@localhost',
      RABBITMQ_CONFIG_FILE: '$/rabbitmq.conf',
      RABBITMQ_ENABLED_PLUGINS_FILE: '$/plugins',
      RABBITMQ_MNESIA_BASE: '$/data',
      RABBITMQ_LOGS: '-',
      RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '-kernel inet_dist_use_interface {127,0,0,1}',
    },
    command: '/usr/lib/rabbitmq/bin/rabbitmq-server',
    files: {
      'rabbitmq.conf': 'listeners.tcp.1 = 127.0.0.1:5672\nlisteners.tcp.2 = ::1:5672\n',
      plugins: '[].\n',
    },
    words: 'completed with',
    signal: 'SIGTERM',
    ends: ['epmd -port 14369 -kill'],
    version: 'dpkg-query --show rabbitmq-server',
  },

  /**
   * For a suite that starts its servers by `docker run`: a program of that name which starts Debian's Redis on the port
   * the container would have, and no other image.
   */
  'redis-docker': {
    command: 'sh $/keep',
    files: {
      keep: "touch pids; trap 'kill $(cat pids) 2>/dev/null; exit' TERM\necho ready\nwhile :; do sleep 1 & wait $!; done\n",
      docker: `#!/bin/sh
        folder=\${0%/*}
        [ "$1" = rm ] && { kill "$3"; exit; }
        [ "$1" = run ] || exit 1
        until [ "\${1%%/*}" = redislabs ] || [ $# = 0 ]; do
          case $1 in TLS_ENABLED=*) exit 1;; PORT=*) port=\${1#PORT=};; esac
          shift
        done
        [ $# = 0 ] && exit 1
        shift
        mkdir -p "$folder/$port"
        cd "$folder/$port" && rm -f nodes.conf
        redis-server --port "$port" --bind 127.0.0.1 -::1 --save '' "$@" </dev/null >/dev/null 2>&1 &
        echo $! | tee -a "$folder/pids"\n`,
    },
    isOnPath: true,
    words: 'ready',
    signal: 'SIGTERM',
    version: 'redis-server --version',
  },
};

/** Starts a server. Resolves with what it calls itself, how to end it, and what the suite needs on its PATH. */
export async function startServer(name, scratch) {
  const server = SERVERS[name];
  const folder = join(scratch, name);
  mkdirSync(folder);
  const fill = text => text.replaceAll('$bin', postgresFolder()).replaceAll(/\$(?=[/\s]|$)/g, folder);
  const mustChange = server.account !== undefined && process.getuid?.() === 0;
  const account = mustChange
    ? `setpriv --reuid ${server.account} --regid ${server.account} --clear-groups -- `
    : '';
  const split = text => fill(account + text).split(' ');
  for (const [file, text] of Object.entries(server.files ?? {}))
    writeFileSync(join(folder, file), text, { mode: 0o755 });
  if (mustChange) run(['chown', '-R', server.account, folder]);
  for (const command of server.makes ?? []) run(split(command), folder);
  const log = join(scratch, `${name}.log`);
  const out = openSync(log, 'w');
  const own = Object.entries(server.env ?? {}).map(([key, value]) => [key, fill(value)]);
  const env = { ...process.env, ...Object.fromEntries(own) };
  const [program, ...args] = split(server.command);
  const child = spawn(program, args, { cwd: folder, env, stdio: ['ignore', out, out] });
  const closed = new Promise(done => child.once('close', done).once('error', done));
  const kill = () => child.kill(server.signal);
  process.on('exit', kill);
  while (!readFileSync(log, 'utf8').includes(server.words)) {
    if (child.exitCode !== null || child.pid === undefined)
      throw new Error(`${name} did not start:\n${readFileSync(log, 'utf8')}`);
    await pause(100);
  }
  for (const command of server.sets ?? []) run(split(command), folder);
  const stop = async () => {
    kill();
    await closed;
    process.off('exit', kill);
    for (const command of server.ends ?? []) run(split(command), folder);
  };
  return { version: run(split(server.version)).trim(), stop, path: server.isOnPath ? [folder] : [] };
}

function postgresFolder() {
  const debian = '/usr/lib/postgresql';
  if (!existsSync(debian)) return '';
  const newest = readdirSync(debian).sort((a, b) => Number(b) - Number(a))[0];
  return join(debian, newest, 'bin');
}
