/**
 * What a command or a process says when it ends, so that a script can decide without reading words.
 * Those from 64 on are the ones of sysexits.h.
 */
export const exitCodes = {
  fine: 0,
  /** Refused, or failed: the message says what, and trying the same again may be in vain. */
  failed: 1,
  /** A check found that a promise to clients does not hold. */
  promiseVoid: 3,
  /** Called wrongly: an unknown option, an argument that is no value, an answer that is missing. */
  wrongUse: 64,
  /** A store did not answer, or can not do its work: the same may succeed later. */
  storeAway: 69,
  /** The configuration is wrong: starting it again is in vain. */
  configuration: 78,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];
