/** How far a gate has come: in its epoch, `serial` counts what was written since it was opened. */
export interface GateState {
  epoch: number;
  serial: number;
}

const nothingSeen: GateState = { epoch: 0, serial: 0 };

/**
 * The latest state of each gate that this process has seen or was told of. A gate that is behind it
 * was put back from an older copy, in a Redis that lives on: its scripts are told, and shut it.
 */
export class LatestSeen {
  private readonly states = new Map<number, GateState>();

  of(couponId: number): GateState {
    return this.states.get(couponId) ?? nothingSeen;
  }

  /** Replies may come in another order than the scripts ran in. */
  learn(couponId: number, { epoch, serial }: GateState): void {
    const latest = this.of(couponId);
    if (epoch > latest.epoch || (epoch === latest.epoch && serial > latest.serial)) {
      this.states.set(couponId, { epoch, serial });
    }
  }
}
