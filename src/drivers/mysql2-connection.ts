import { HoldfastError } from '../errors.js';
import { rememberVerdict } from '../guard/autopsy.js';
import type { ClientAdapter, StopWatching } from './adapter.js';
import type { DriverSettings } from './driver-options.js';
import { GuardedClient } from './guarded-client.js';
import type { ConnectionInside } from './mysql2-types.js';

const guards = new WeakMap<ConnectionInside, GuardedClient<ConnectionInside>>();

/** How the library treats a mysql2 connection: that of the callback API, which lies under the promise API too. */
export const mysql2Adapter: ClientAdapter<ConnectionInside> = {
  onLost(connection, lost): StopWatching {
    let cause: unknown;
    let stream = connection.stream;
    const remember = (error: unknown): void => void (cause ??= error);
    // Where every request under way has a callback, the connection itself says nothing: its stream does.
    const onError = (error: { readonly fatal?: boolean }): void => {
      if (error.fatal === true) remember(error);
    };
    const onClose = (): void => {
      stop();
      lost(cause ?? lossOf(connection));
    };
    const watch = (): void => void stream.on('error', remember).on('close', onClose);
    const unwatch = (): void => void stream.off('error', remember).off('close', onClose);
    const onConnect = (): void => {
      unwatch();
      stream = connection.stream; // the TLS one now, where there is TLS
      watch();
    };
    const stop = (): void => {
      unwatch();
      connection.removeListener('error', onError);
      connection.removeListener('connect', onConnect);
    };
    watch();
    connection.on('error', onError);
    connection.on('connect', onConnect);
    return stop;
  },
  close: connection =>
    new Promise<void>(resolve => {
      if (connection.stream.destroyed) return resolve();
      connection.stream.once('close', resolve);
      connection.end(() => undefined);
    }),
  beat: connection =>
    new Promise<void>((resolve, reject) => {
      connection.ping(error => (error instanceof Error ? reject(error) : resolve()));
    }),
  isIdle: connection => '_command' in connection && !connection._command && connection._paused !== true,
  stream: connection => connection.stream,
};

/** What a connection whose stream has closed without an error was lost to; undefined: it was ended on this side. */
function lossOf({ _fatalError, _protocolError, _closing }: ConnectionInside): unknown {
  const told = _fatalError ?? _protocolError;
  if (told !== null && told !== undefined) return told;
  if (_closing === true) return undefined;
  return new HoldfastError('ERR_HOLDFAST_CLOSED', 'the server closed the connection');
}

/** Hardens a connection, once. */
export function guardConnection(
  connection: ConnectionInside,
  settings: DriverSettings,
): GuardedClient<ConnectionInside> {
  const known = guards.get(connection);
  if (known !== undefined) return known;
  const guarded = new GuardedClient(connection, mysql2Adapter, settings);
  guards.set(connection, guarded);
  // An idle connection's error ends the process where nobody listens. Its death is told at the next use.
  connection.on('error', () => undefined);
  const heed = (): void => {
    guarded.streamChanged();
    guarded.used();
    connection.stream.on('data', () => guarded.used());
  };
  // Before it is connected the stream may still be exchanged for a TLS one.
  if (connection.authorized === true) heed();
  else connection.on('connect', heed);
  explainRefusals(connection, guarded);
  return guarded;
}

export function guardedConnection(connection: ConnectionInside): GuardedClient<ConnectionInside> | undefined {
  return guards.get(connection);
}

/** A dead connection refuses requests with an error that does not say why: it learns, and that nothing was sent. */
function explainRefusals(connection: ConnectionInside, guarded: GuardedClient<ConnectionInside>): void {
  const refuse = connection._addCommandClosedState;
  if (refuse === undefined) return;
  connection._addCommandClosedState = command => {
    const { onResult } = command;
    if (onResult !== undefined) {
      command.onResult = (error, ...rest) => onResult.call(command, explain(error, guarded), ...rest);
    }
    refuse.call(connection, command);
  };
}

function explain(error: unknown, { error: cause, verdict }: GuardedClient<ConnectionInside>): unknown {
  if (!(error instanceof Error)) return error;
  error.cause ??= cause;
  if (verdict !== undefined) rememberVerdict(error, { ...verdict, delivery: 'never-sent' });
  return error;
}
