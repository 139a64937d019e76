import type { IssuanceRequest } from '#coupon/issuance-request.ts';
import { CouponLedger } from '#ledger/coupons/coupon-ledger.ts';
import type { NewCoupon } from '#ledger/coupons/coupon-ledger.ts';
import { IssuanceLedger } from '#ledger/issuance-ledger.ts';
import { LedgerConnection } from '#ledger/connection/ledger-connection.ts';
import { migrate } from '#ledger/schema/migrate.ts';
import { uuidToBytes } from '#ledger/uuid-bytes.ts';
import { testConfig, uniqueName } from '../test-config.ts';

/** A ledger in a database of its own, which is dropped at the end. */
export class TestLedger {
  readonly database = uniqueName();
  readonly config = testConfig({ MYSQL_URL: urlOf(this.database) });
  readonly connection = new LedgerConnection(this.config);
  /** What a test sends is not recorded as something that the system sends. */
  private readonly meddling = new LedgerConnection({ ...this.config, STATEMENTS_DIR: undefined });
  readonly coupons = new CouponLedger(this.connection);
  readonly issuances = new IssuanceLedger(this.connection);

  async start(): Promise<void> {
    await migrate(this.config);
    await this.connection.connected();
  }

  /** A coupon of ten units on partition 0; what a test is about is given. */
  createCoupon(given: Partial<NewCoupon> = {}): ReturnType<CouponLedger['create']> {
    const plain = { name: 'test', total: 10, kafkaPartition: 0, opensAt: null, closesAt: null };
    return this.coupons.create({ ...plain, ...given });
  }

  /** Puts a row beside the others without counting it, as only a bug could. */
  async plantIssuance(request: IssuanceRequest): Promise<void> {
    await this.query(
      'INSERT INTO issuance (id, coupon_id, user_id, epoch, issued_at) VALUES (?, ?, ?, ?, ?)',
      [
        uuidToBytes(request.issuanceId),
        request.couponId,
        Buffer.from(request.userId),
        request.epoch,
        request.reservedAt,
      ],
    );
  }

  /** Asks, or meddles, behind the back of the ledger. */
  async query<Row>(sql: string, parameters: unknown[] = []): Promise<Row[]> {
    return (await this.meddling.connected()).query(sql, parameters);
  }

  async close(): Promise<void> {
    await this.query(`DROP DATABASE IF EXISTS \`${this.database}\``);
    await this.meddling.close();
    await this.connection.close();
  }
}

function urlOf(database: string): string {
  const url = new URL(testConfig().MYSQL_URL);
  url.pathname = `/${database}`;
  return url.toString();
}
