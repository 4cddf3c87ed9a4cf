import { EmulatedNat } from './emulated-nat.js';
import { KernelNat } from './kernel-nat.js';
import type { NatLab } from './nat-lab.js';
import { resolveOptions, type NatLabOptions } from './options.js';

/**
 * Makes a NAT that forgets idle TCP flows, to test against.
 *
 * `backend: 'kernel'` is Linux's own NAT between three network namespaces that vanish with this process; it needs
 * `ip`, `nft`, `unshare` and `nsenter`, and root or the right to make user namespaces. `'emulated'` is a relay on
 * loopback and runs anywhere, but only payload counts as activity. `'auto'` (the default) tries the first and
 * falls back to the second, with the cause in `lab.reason`.
 *
 * Rejects with a `LabError` (`ERR_HOLDFAST_LAB`) on wrong options, and with `backend: 'kernel'` where that
 * can't be built: the message names what is missing.
 *
 * @example
 * ```ts
 * const lab = await createNatLab({ backend: 'kernel', idleTimeout: '2s' });
 * const server = lab.inside('server', () => net.createServer().listen(0));
 * lab.enter('client');
 * const socket = net.connect(await lab.route(server.address().port));
 * lab.on('evicted', ({ flow }) => console.log('forgotten:', flow.client));
 * ```
 */
export async function createNatLab(options?: NatLabOptions): Promise<NatLab> {
  const { backend, ...settings } = resolveOptions(options);
  if (backend === 'emulated') return new EmulatedNat(settings);
  if (backend === 'kernel') return KernelNat.build(settings);
  try {
    return await KernelNat.build(settings);
  } catch (error) {
    return new EmulatedNat(settings, error instanceof Error ? error.message : String(error));
  }
}
