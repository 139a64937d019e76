import type { Budget, LogRecord, World } from './world.js';

/** Something that may happen next. Every step of every actor is one; so is every fault. */
export interface Choice {
  /** The actor, or the part of the world that does it. */
  by: string;
  what: string;
  isFault: boolean;
  run: () => void;
}

export function step(by: string, what: string, run: () => void): Choice {
  return { by, what, isFault: false, run };
}

/** A fault that may happen only while its budget lasts. */
export function fault(
  world: World,
  kind: keyof Budget,
  by: string,
  what: string,
  run: () => void,
): Choice[] {
  if (world.budget[kind] === 0) {
    return [];
  }
  const spend = (): void => {
    world.budget[kind]--;
    run();
  };
  return [{ by, what, isFault: true, run: spend }];
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
  return [
    step(by, what, () => heard(run())),
    ...fault(world, 'lostReplies', by, `${what}, reply lost`, () => {
      run();
      unheard();
    }),
  ];
}

/** A produce with acks = all, and what may become of it. */
export function produce(
  world: World,
  by: string,
  what: string,
  records: readonly LogRecord[],
  on: { acknowledged: () => void; timedOut: () => void },
): Choice[] {
  return [
    step(by, what, () => {
      world.log.push(...records);
      on.acknowledged();
    }),
    ...fault(world, 'twice', by, `${what}, and once more later`, () => {
      world.log.push(...records);
      world.inFlight.push(...records);
      on.acknowledged();
    }),
    ...fault(world, 'timeouts', by, `${what}, times out though appended`, () => {
      world.log.push(...records);
      on.timedOut();
    }),
    ...fault(world, 'timeouts', by, `${what}, times out`, () => {
      world.inFlight.push(...records);
      on.timedOut();
    }),
  ];
}
