import { Holdfast } from './holdfast.js';
import { registration } from './registration.js';

let shared: Holdfast | undefined;

/** The instance behind the package's functions and `holdfast/register`: made at the first call, from the environment. */
export function sharedInstance(): Holdfast {
  const { options } = registration;
  shared ??= options === undefined ? new Holdfast({}, { env: process.env }) : new Holdfast(options);
  return shared;
}
