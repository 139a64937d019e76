/**
 * - `ok`: as our promises need it.
 * - `warning`: no promise depends on it today, but somebody should look.
 * - `promise_void`: a promise does not hold while this is so.
 * - `away`: could not be asked, so nothing is known.
 */
export type Verdict = 'ok' | 'warning' | 'promise_void' | 'away';

/** One thing about a store or the surroundings, and whether it is as our promises need it. */
export interface CheckResult {
  /** Stable, dotted, the store first: `kafka.topic.cleanup-policy`. */
  name: string;
  verdict: Verdict;
  /** What is so, in words; never a password. */
  message: string;
  /** Which promise it touches. */
  why?: string;
  /** What to run, or to set. */
  remedy?: string;
  /** Of a clock: how far it is before ours. */
  clockAheadMs?: number;
}

/** Asks and changes nothing. Rejects only when it cannot ask at all. */
export type Check = () => Promise<CheckResult[]>;
