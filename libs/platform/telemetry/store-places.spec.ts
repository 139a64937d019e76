import { expect, test } from 'vitest';
import { environmentSchema } from '../config/config.ts';
import { storePlaces } from './store-places.ts';

const placesWith = (given: Record<string, string>) => storePlaces(environmentSchema.parse(given));

test('each store is where its setting says', () => {
  expect(
    placesWith({
      GATE_REDIS_URL: 'rediss://user:secret@gate.example/3',
      MYSQL_URL: 'mysql://root:secret@ledger.example/sales',
      KAFKA_BROKERS: 'log.example:9093',
    }),
  ).toEqual({
    redis: { 'server.address': 'gate.example', 'server.port': 6379, 'db.namespace': '3' },
    mysql: { 'server.address': 'ledger.example', 'server.port': 3306, 'db.namespace': 'sales' },
    kafka: { 'server.address': 'log.example', 'server.port': 9093 },
  });
});

test('a socket is an address without a port', () => {
  const { redis, mysql } = placesWith({
    GATE_REDIS_URL: 'unix:///run/redis.sock',
    MYSQL_URL: 'mysql://root@localhost/sales?socket=/run/mysqld.sock',
  });
  expect(redis).toEqual({ 'server.address': '/run/redis.sock', 'db.namespace': '0' });
  expect(mysql).toEqual({ 'server.address': '/run/mysqld.sock', 'db.namespace': 'sales' });
});

test('of several brokers none is named: which one it is, only the client knows', () => {
  expect(placesWith({ KAFKA_BROKERS: 'a.example:9092,b.example:9092' }).kafka).toEqual({});
});
