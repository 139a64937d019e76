import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Name and times can change, too: what a change left says all of them. Unknown for older changes. */
export class CouponChangeTerms1764400000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE coupon_change
        ADD COLUMN name VARCHAR(100) NULL,
        ADD COLUMN opens_at BIGINT UNSIGNED NULL,
        ADD COLUMN closes_at BIGINT UNSIGNED NULL`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE coupon_change DROP COLUMN name, DROP COLUMN opens_at, DROP COLUMN closes_at`);
  }
}
