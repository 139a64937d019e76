import type { Coupon } from '#coupon/coupon.ts';
import { inSlices } from '#platform/work/slices.ts';
import { infoField } from './checks/redis-info.ts';
import type { GateConnection } from './gate-connection.ts';
import { decidedWatermarkKey, gateKeys } from './keys.ts';

/** A gate that is asked, and the least epoch in which it is believed. */
export type AskedGate = Pick<Coupon, 'id' | 'epoch'>;

/** A unit that a user holds at a gate, confirmed or not, and the epoch in which the gate says so. */
export interface Holding {
  couponId: number;
  issuanceId: string;
  epoch: number;
}

/** What gates have told; `isWhole` unless one of them is shut, and so may not tell. */
export interface Told<What> {
  told: What;
  isWhole: boolean;
}

/** What holds for all gates of a Redis at one moment. */
export interface GateMoment {
  /** Which run of Redis it is, with which history of data: a gate that was opened in another is shut. */
  history: string;
  now: number;
  /** See `StatusHints.readWatermark`. */
  watermark: number | undefined;
}

/** So many are asked in one trip, one trip after another: a reservation waits behind one at most. */
const gatesOfTrip = 100;

/**
 * What users hold at many gates, by plain reads. To look at a thousand gates by a script each would keep
 * Redis busy for ten times as long. Rejects when Redis is away or slow.
 */
export class Holdings {
  constructor(
    private readonly connection: GateConnection,
    private readonly keyPrefix: string,
  ) {}

  async moment(): Promise<GateMoment> {
    const { redis } = this.connection;
    const [server, replication, [seconds, microseconds], watermark] = await Promise.all([
      redis.info('server'),
      redis.info('replication'),
      redis.time(),
      redis.get(decidedWatermarkKey(this.keyPrefix)),
    ]);
    return {
      history: [infoField(server, 'run_id'), infoField(replication, 'master_replid')].join(),
      now: Number(seconds) * 1_000 + Math.floor(Number(microseconds) / 1_000),
      watermark: watermark === null ? undefined : Number(watermark),
    };
  }

  /** What each of these users holds at these gates, by user, in order. */
  async heldBy(
    userIds: readonly string[],
    gates: readonly AskedGate[],
    history: string,
  ): Promise<Told<Holding[][]>> {
    const told: Holding[][] = userIds.map(() => []);
    let isWhole = true;
    const ask = async (gate: AskedGate): Promise<void> => {
      const { holders } = gateKeys(this.keyPrefix, gate.id);
      // In this order: what was read before a gate was emptied is not taken for all there is.
      const [held, epoch] = await Promise.all([
        this.connection.redis.hmget(holders, ...userIds),
        this.openEpoch(gate, history),
      ]);
      if (epoch === undefined) {
        isWhole = false;
        return;
      }
      held.forEach((issuanceId, user) => {
        if (issuanceId !== null) {
          told[user]!.push({ couponId: gate.id, issuanceId, epoch });
        }
      });
    };
    for (const slice of inSlices(gates, gatesOfTrip)) {
      await Promise.all(slice.map(ask));
    }
    return { told, isWhole };
  }

  /**
   * Those of a user's holdings that are confirmed: they will be issued, where they are not refused
   * already. What he does not hold any more is none of them.
   */
  async confirmed(
    userId: string,
    holdings: readonly Holding[],
    history: string,
  ): Promise<Told<Holding[]>> {
    const { redis } = this.connection;
    const told: Holding[] = [];
    let isWhole = true;
    const ask = async (holding: Holding): Promise<void> => {
      const { couponId: id, issuanceId, epoch: heldIn } = holding;
      const { pending, holders } = gateKeys(this.keyPrefix, id);
      // In this order. It was held before, it is afterwards, and in between it was not pending: where
      // the epoch is still the same, no recovery has swept it away, and so it was confirmed.
      const [pendingSince, heldId, epoch] = await Promise.all([
        redis.zscore(pending, issuanceId),
        redis.hget(holders, userId),
        this.openEpoch({ id, epoch: heldIn }, history),
      ]);
      if (epoch !== heldIn) {
        isWhole = false;
      } else if (pendingSince === null && heldId === issuanceId) {
        told.push(holding);
      }
    };
    for (const slice of inSlices(holdings, gatesOfTrip)) {
      await Promise.all(slice.map(ask));
    }
    return { told, isWhole };
  }

  /** The epoch of a gate that is open, as far as its `meta` tells; nothing of any other. */
  private async openEpoch({ id, epoch }: AskedGate, history: string): Promise<number | undefined> {
    const { meta } = gateKeys(this.keyPrefix, id);
    const [runId, replid, ofGate, least] = await this.connection.redis.hmget(
      meta,
      'run_id',
      'replid',
      'epoch',
      'min_epoch',
    );
    const isOpen =
      [runId, replid].join() === history && Number(ofGate) >= Math.max(epoch, Number(least));
    return isOpen ? Number(ofGate) : undefined;
  }
}
