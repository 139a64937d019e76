import { Redis } from 'ioredis';
import mysql from 'mysql2/promise';
import { CouponAdministration } from '#administration/coupon-administration.ts';
import { CouponLedger } from '#ledger/coupons/coupon-ledger.ts';
import { LedgerConnection } from '#ledger/connection/ledger-connection.ts';
import { bytesToUuid } from '#ledger/uuid-bytes.ts';
import { Gate } from '#gate/gate.ts';
import { GateConnection } from '#gate/gate-connection.ts';
import type { Stack } from '../../../infra/harness/stack.ts';
import { testConfig } from '../test-config.ts';

/** Looks into the stores of a stack, and meddles, behind the back of its processes. */
export class StackStores {
  readonly redis: Redis;
  readonly gate: Gate;
  private readonly gateConnection: GateConnection;
  private readonly mysql: mysql.Pool;
  private readonly mysqlUrl: string;

  constructor(stack: Stack) {
    this.redis = new Redis(stack.env['GATE_REDIS_URL']!);
    this.redis.on('error', () => {});
    this.gateConnection = new GateConnection(
      testConfig({ GATE_REDIS_URL: stack.env['GATE_REDIS_URL']!, GATE_TIMEOUT_MS: '5000' }),
    );
    this.gate = new Gate(this.gateConnection, stack.env['GATE_KEY_PREFIX']!);
    this.mysqlUrl = stack.env['MYSQL_URL']!;
    this.mysql = mysql.createPool({ uri: this.mysqlUrl, connectionLimit: 4 });
  }

  /** Ready for use. */
  static async connect(stack: Stack): Promise<StackStores> {
    const stores = new StackStores(stack);
    await stores.gateConnection.connected();
    return stores;
  }

  async query<Row>(sql: string, parameters: unknown[] = []): Promise<Row[]> {
    const [rows] = await this.mysql.query(sql, parameters);
    return rows as Row[];
  }

  /** As `coupon create` does it, many at once; returns their ids. */
  async createCoupons(
    count: number,
    partitionCount: number,
    given: { opensAt?: number; total?: number } = {},
  ): Promise<number[]> {
    const ledger = new LedgerConnection(testConfig({ MYSQL_URL: this.mysqlUrl }));
    await ledger.connected();
    const coupons = new CouponAdministration(new CouponLedger(ledger), this.gate);
    const ids: number[] = [];
    for (let i = 0; i < count; i += 1) {
      const draft = {
        name: `coupon ${i}`,
        total: 1_000_000,
        opensAt: null,
        closesAt: null,
        ...given,
      };
      ids.push((await coupons.create(draft, partitionCount)).id);
    }
    await ledger.close();
    return ids;
  }

  /** Who was issued this coupon, and under which id. */
  async issuedIds(couponId: number): Promise<Map<string, string>> {
    const rows = await this.query<{ userId: Buffer; id: Buffer }>(
      'SELECT user_id AS userId, id FROM issuance WHERE coupon_id = ?',
      [couponId],
    );
    return new Map(rows.map(({ userId, id }) => [userId.toString(), bytesToUuid(id)]));
  }

  /** The epoch of a gate; waits for a Redis that was away. */
  async epochOf(couponId: number): Promise<number> {
    await this.gateConnection.connected();
    return (await this.gate.inspect(couponId)).epoch;
  }

  /** Of these coupons, those whose gate is open. */
  async openGates(couponIds: number[]): Promise<number[]> {
    const gates = await Promise.all(couponIds.map((id) => this.gate.inspect(id)));
    return couponIds.filter((_, i) => gates[i]!.gate === 'open');
  }

  async close(): Promise<void> {
    this.redis.disconnect();
    this.gateConnection.close();
    await this.mysql.end();
  }
}
