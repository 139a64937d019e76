import type { Budget, LogRecord, World } from './world.ts';

/** Something that may happen next. Every step of every actor is one; so is every fault. */
export interface Choice {
  /** The actor, or the part of the world that does it. */
  by: string;
  what: string;
  isFault: boolean;
  run: () => void;
}

export const nothing: readonly Choice[] = [];

export function step(by: string, what: string, run: () => void): Choice {
  return { by, what, isFault: false, run };
}

/** Adds a fault, which may happen only while its budget lasts. */
export function addFault(
  choices: Choice[],
  world: World,
  kind: keyof Budget,
  by: string,
  what: string,
  run: () => void,
): void {
  if (world.budget[kind] > 0) {
    const spend = (): void => {
      world.budget[kind]--;
      run();
    };
    choices.push({ by, what, isFault: true, run: spend });
  }
}

/** Whoever is in the middle of something may crash, and then forgets it. */
export function orCrash(
  world: World,
  by: string,
  forget: () => void,
  choices: Choice[],
): readonly Choice[] {
  addFault(choices, world, 'crashes', by, 'crashes', forget);
  return choices;
}

/** A script that only looks: when its reply is lost, it is as if it had never run. */
export function look<Reply>(
  by: string,
  what: string,
  run: () => Reply,
  heard: (reply: Reply) => void,
): Choice {
  return step(by, what, () => heard(run()));
}

/**
 * A script of Redis: it runs and its reply is heard, or it runs and the caller hears nothing. A caller
 * that waits before the step covers a script that runs late.
 */
export function script<Reply>(
  world: World,
  by: string,
  what: string,
  run: () => Reply,
  heard: (reply: Reply) => void,
  unheard: () => void,
): Choice[] {
  const choices = [look(by, what, run, heard)];
  addFault(choices, world, 'lostReplies', by, `${what}, reply lost`, () => {
    run();
    unheard();
  });
  return choices;
}

/** A produce with acks = all, and what may become of it. */
export function produce(
  world: World,
  by: string,
  what: string,
  records: readonly LogRecord[],
  on: { acknowledged: () => void; timedOut: () => void },
): Choice[] {
  const { log, inFlight } = world;
  const heard = step(by, what, () => {
    log.push(...records);
    on.acknowledged();
  });
  const choices = [heard];
  addFault(choices, world, 'twice', by, `${what}, and once more later`, () => {
    inFlight.push(...records);
    heard.run();
  });
  addFault(choices, world, 'timeouts', by, `${what}, times out though appended`, () => {
    log.push(...records);
    on.timedOut();
  });
  addFault(choices, world, 'timeouts', by, `${what}, times out`, () => {
    inFlight.push(...records);
    on.timedOut();
  });
  return choices;
}
