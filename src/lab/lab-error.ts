/**
 * The one error class of the lab: a wrong option, a missing program or capability, a step that failed, or a call
 * after `close()`. The message says which, in one line; `cause` holds the error underneath, if there was one.
 */
export class LabError extends Error {
  override readonly name = 'LabError';
  readonly code = 'ERR_HOLDFAST_LAB';
}
