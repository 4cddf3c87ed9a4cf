import type * as Api from '@opentelemetry/api';
import { createRequire } from 'node:module';
import { HoldfastError } from '../errors.js';

/**
 * The meter of the application's OpenTelemetry set-up.
 *
 * @param from the module whose node_modules are searched; only tests say another
 * @throws HoldfastError ERR_HOLDFAST_UNSUPPORTED without the optional peer
 */
export function applicationMeter(from: string | URL = import.meta.url): Api.Meter {
  return loadApi(from).metrics.getMeter('holdfast');
}

/** By require, so that the answer is there at once: the API keeps its providers on globalThis, for all its copies. */
function loadApi(from: string | URL): typeof Api {
  try {
    return createRequire(from)('@opentelemetry/api') as typeof Api;
  } catch (cause) {
    throw new HoldfastError(
      'ERR_HOLDFAST_UNSUPPORTED',
      'recordMetrics needs the optional peer @opentelemetry/api, which could not be loaded: install it, or give a meter',
      { cause },
    );
  }
}
