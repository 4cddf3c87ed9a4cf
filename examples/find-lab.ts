import { spawnSync } from 'node:child_process';
import { createNatLab, type NatLab } from 'holdfast/lab';

const IDLE = '3s';
const INSIDE = 'HOLDFAST_TEST_INSIDE';

/**
 * The kernel's NAT with this thread on its client side, where that can be had; else the emulated one. Moving a thread
 * needs root: an ordinary user gets it by running the program once more in a user namespace.
 *
 * @returns the lab, or the exit code of the program that ran in the namespace
 */
export async function findLab(): Promise<NatLab | number> {
  const lab = await createNatLab({ idleTimeout: IDLE });
  if (lab.backend === 'emulated') return lab;
  try {
    lab.enter('client');
    return lab;
  } catch {
    await lab.close();
  }
  if (process.env[INSIDE] === undefined) {
    const command = ['--user', '--map-root-user', '--net', process.execPath, ...process.argv.slice(1)];
    const { status } = spawnSync('unshare', command, {
      stdio: 'inherit',
      env: { ...process.env, [INSIDE]: '1' },
    });
    if (status === 0 || status === 1) return status;
  }
  return createNatLab({ idleTimeout: IDLE, backend: 'emulated' });
}
