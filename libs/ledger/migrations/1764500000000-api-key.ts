import type { MigrationInterface, QueryRunner } from 'typeorm';

export class ApiKey1764500000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE api_key (
        id CHAR(12) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
        name VARCHAR(100) NOT NULL,
        scopes VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
        hash BINARY(32) NOT NULL,
        created_at BIGINT UNSIGNED NOT NULL,
        last_used_at BIGINT UNSIGNED NULL,
        ends_at BIGINT UNSIGNED NULL,
        replaced_by CHAR(12) NULL,
        PRIMARY KEY (id)
      ) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE api_key');
  }
}
