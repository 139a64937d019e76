import type { Problem } from './generated/types.gen.ts';

/** The api said no, and to ask again is of no use; or it said no until the time was up. */
export class FirstcomeProblem extends Error {
  override readonly name = 'FirstcomeProblem';

  constructor(
    readonly status: number,
    /** What the api said; missing where something else answered in its place. */
    readonly problem: Problem | undefined,
  ) {
    super(problem?.detail ?? `The answer was ${status}.`);
  }

  /** To decide by. */
  get code(): Problem['code'] | undefined {
    return this.problem?.code;
  }
}

/** The time was up. The issuance may be decided all the same: ask for its status later. */
export class FirstcomeTimeout extends Error {
  override readonly name = 'FirstcomeTimeout';

  constructor(
    withinMs: number,
    /** Missing where not even the assign was answered; to send that again is safe. */
    readonly issuanceId: string | undefined,
    /** What failed last. */
    cause: unknown,
  ) {
    super(`Nothing is known for certain after ${withinMs} ms.`, { cause });
  }
}
