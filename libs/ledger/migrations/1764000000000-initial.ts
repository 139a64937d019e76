import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Initial1764000000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE coupon (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        name VARCHAR(100) NOT NULL,
        total INT UNSIGNED NOT NULL,
        issued INT UNSIGNED NOT NULL DEFAULT 0,
        kafka_partition INT UNSIGNED NOT NULL,
        version INT UNSIGNED NOT NULL,
        state VARCHAR(8) NOT NULL,
        opens_at BIGINT UNSIGNED NULL,
        closes_at BIGINT UNSIGNED NULL,
        epoch INT UNSIGNED NOT NULL,
        applied_epoch INT UNSIGNED NOT NULL,
        PRIMARY KEY (id),
        CONSTRAINT issued_within_total CHECK (issued <= total)
      ) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4`);
    await runner.query(`
      CREATE TABLE issuance (
        id BINARY(16) NOT NULL,
        coupon_id INT UNSIGNED NOT NULL,
        user_id VARBINARY(256) NOT NULL,
        epoch INT UNSIGNED NOT NULL,
        issued_at BIGINT UNSIGNED NOT NULL,
        PRIMARY KEY (id),
        UNIQUE KEY coupon_user (coupon_id, user_id),
        KEY user_id (user_id, id)
      ) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4`);
    await runner.query(`
      CREATE TABLE refusal (
        issuance_id BINARY(16) NOT NULL,
        coupon_id INT UNSIGNED NOT NULL,
        user_id VARBINARY(256) NOT NULL,
        reason VARCHAR(16) NOT NULL,
        refused_at BIGINT UNSIGNED NOT NULL,
        PRIMARY KEY (issuance_id)
      ) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4`);
    await runner.query(`
      CREATE TABLE coupon_change (
        coupon_id INT UNSIGNED NOT NULL,
        version INT UNSIGNED NOT NULL,
        action VARCHAR(16) NOT NULL,
        total INT UNSIGNED NOT NULL,
        state VARCHAR(8) NOT NULL,
        changed_at BIGINT UNSIGNED NOT NULL,
        PRIMARY KEY (coupon_id, version)
      ) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE coupon_change, refusal, issuance, coupon');
  }
}
