import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What was redeemed, and until when it may be. A table of its own: that of issuances, which is large,
 * and which issuers write, stays as it is. Columns come last, so that no row is written anew for them.
 */
export class Redemption1764600000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE redemption (
        issuance_id BINARY(16) NOT NULL,
        redeemed_at BIGINT UNSIGNED NOT NULL,
        reference VARBINARY(256) NULL,
        PRIMARY KEY (issuance_id)
      ) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4`);
    await runner.query('ALTER TABLE coupon ADD COLUMN valid_until BIGINT UNSIGNED NULL');
    await runner.query('ALTER TABLE coupon_change ADD COLUMN valid_until BIGINT UNSIGNED NULL');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE coupon_change DROP COLUMN valid_until');
    await runner.query('ALTER TABLE coupon DROP COLUMN valid_until');
    await runner.query('DROP TABLE redemption');
  }
}
