import type { HoldfastOptions } from './options/types.js';

/**
 * What `holdfast/register` found in the environment: the options that are right, where others were wrong. The shared
 * instance is made of these then, instead of refusing the environment. A module without imports, because it is loaded
 * at start-up.
 */
export const registration: { options: HoldfastOptions | undefined } = { options: undefined };
