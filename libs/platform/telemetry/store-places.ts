import type { Attributes } from '@opentelemetry/api';
import { readMysqlUrl } from '../urls/mysql-url.ts';
import { readRedisUrl } from '../urls/redis-url.ts';
import { databaseAttributes as db, serverAttributes as server } from './messaging-conventions.ts';

export interface StoreSettings {
  GATE_REDIS_URL: string;
  MYSQL_URL: string;
  KAFKA_BROKERS: string[];
}

/** What the spans of each store say of where it is. */
export type StorePlaces = Readonly<Record<'redis' | 'mysql' | 'kafka', Attributes>>;

export function storePlaces(settings: StoreSettings): StorePlaces {
  const redis = readRedisUrl(settings.GATE_REDIS_URL);
  const mysql = readMysqlUrl(settings.MYSQL_URL, false);
  return {
    redis: { ...placeOf(redis.path, redis.host, redis.port), [db.namespace]: String(redis.db) },
    mysql: { ...placeOf(mysql.socketPath, mysql.host, mysql.port), [db.namespace]: mysql.database },
    kafka: brokerPlace(settings.KAFKA_BROKERS),
  };
}

/** Which of several brokers leads a partition is known to the client of Kafka alone. */
function brokerPlace(brokers: string[]): Attributes {
  const [host, port] = brokers[0]!.split(':');
  return brokers.length === 1 ? placeOf(undefined, host, Number(port)) : {};
}

function placeOf(socket: string | undefined, host = '', port = 0): Attributes {
  return socket === undefined
    ? { [server.address]: host, [server.port]: port }
    : { [server.address]: socket };
}
