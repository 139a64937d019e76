import type { MigrationInterface, QueryRunner } from 'typeorm';

export class DeadLetter1764100000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE dead_letter (
        id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
        topic VARCHAR(249) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
        kafka_partition INT UNSIGNED NOT NULL,
        kafka_offset BIGINT UNSIGNED NOT NULL,
        recorded_at BIGINT UNSIGNED NOT NULL,
        found_at BIGINT UNSIGNED NOT NULL,
        record_key MEDIUMBLOB NULL,
        record_value MEDIUMBLOB NULL,
        headers MEDIUMTEXT NOT NULL,
        trace_id VARCHAR(32) NULL,
        reason TEXT NOT NULL,
        state VARCHAR(16) NOT NULL,
        settled_at BIGINT UNSIGNED NULL,
        settled_reason VARCHAR(500) NULL,
        issuance_id BINARY(16) NULL,
        PRIMARY KEY (id),
        UNIQUE KEY place (topic, kafka_partition, kafka_offset),
        KEY state (state, id)
      ) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE dead_letter');
  }
}
