import { expect, test } from 'vitest';
import { describeConfigErrors, environmentSchema } from '../config/config.ts';
import { readBrokers } from './kafka-brokers.ts';
import { readMysqlUrl } from './mysql-url.ts';
import { readRedisUrl } from './redis-url.ts';

const plain = { db: 0, isTls: false };
const local = { host: 'gate', port: 6379, ...plain };

test.each([
  ['redis://gate', local],
  ['redis://gate/', local],
  ['REDIS://gate:6380', { ...local, port: 6380 }],
  ['redis://gate/3', { ...local, db: 3 }],
  ['redis://gate?db=3', { ...local, db: 3 }],
  ['redis://gate?family=6', { ...local, family: 6 }],
  ['redis://:pw@gate', { ...local, password: 'pw' }],
  ['redis://ann:pw@gate', { ...local, username: 'ann', password: 'pw' }],
  ['redis://ann:p%40%3A%2F%3F%23%25@gate', { ...local, username: 'ann', password: 'p@:/?#%' }],
  ['redis://a%3Ab:pw@gate', { ...local, username: 'a:b', password: 'pw' }],
  ['redis://[::1]:6380/2', { ...local, host: '::1', port: 6380, db: 2 }],
  ['redis://10.0.0.1', { ...local, host: '10.0.0.1' }],
  ['redis://gate_1.internal.', { ...local, host: 'gate_1.internal.' }],
  ['rediss://gate', { ...local, isTls: true }],
  ['unix:///run/redis.sock', { path: '/run/redis.sock', ...plain }],
  ['unix://:pw@/run/redis.sock?db=2', { path: '/run/redis.sock', password: 'pw', ...plain, db: 2 }],
])('%s is understood', (url, address) => {
  expect(readRedisUrl(url)).toEqual(address);
});

const mysql = { host: 'db', port: 3306, username: 'ann', password: '', database: 'coupons' };
const required = { rejectUnauthorized: false, verifyIdentity: false };

test.each([
  ['mysql://ann@db/coupons', mysql],
  [
    'mysql://ann:p%40%27%5C@db:3307/cou%2Dpons',
    { port: 3307, password: "p@'\\", database: 'cou-pons' },
  ],
  ['mysql://ann@[::1]/coupons', { host: '::1' }],
  ['mysql://ann@db/coupons?charset=utf8mb4', mysql],
  ['mysql://ann@db/coupons?charset=UTF8MB4_GENERAL_CI', mysql],
  ['mysql://ann@db/coupons?ssl-mode=DISABLED', mysql],
  ['mysql://ann@db/coupons?ssl-mode=REQUIRED', { tls: required }],
  ['mysql://ann@db/coupons?sslmode=required', { tls: required }],
  ['mysql://ann@db/coupons?ssl-mode=VERIFY_CA', { tls: { ...required, rejectUnauthorized: true } }],
  [
    'mysql://ann@db/coupons?ssl-mode=verify-identity',
    { tls: { rejectUnauthorized: true, verifyIdentity: true } },
  ],
  ['mysql://ann@db/coupons?ssl={}', { tls: { rejectUnauthorized: true, verifyIdentity: false } }],
  ['mysql://ann@db/coupons?ssl=%7B%22rejectUnauthorized%22:false%7D', { tls: required }],
  ['mysql://ann@db/coupons?socket=(/run/mysqld.sock)', { socketPath: '/run/mysqld.sock' }],
  ['mysql://ann@db/coupons?socketPath=/run/mysqld.sock', { socketPath: '/run/mysqld.sock' }],
])('%s is understood', (url, given) => {
  expect(readMysqlUrl(url, false)).toEqual({ ...mysql, ...given });
});

test('a CA asks for TLS, and lets REQUIRED verify, as with the client of MySQL', () => {
  const verified = { rejectUnauthorized: true, verifyIdentity: false };
  expect(readMysqlUrl('mysql://ann@db/coupons', true).tls).toEqual(verified);
  expect(readMysqlUrl('mysql://ann@db/coupons?ssl-mode=REQUIRED', true).tls).toEqual(verified);
  expect(() => readMysqlUrl('mysql://ann@db/coupons?ssl-mode=DISABLED', true)).toThrow(
    'ssl-mode is DISABLED although MYSQL_CA_FILE asks for TLS',
  );
});

test.each([
  ['a:1', ['a:1']],
  ['a:1,b:2', ['a:1', 'b:2']],
  [' a:1 , b:2 ', ['a:1', 'b:2']],
  ['a:1,', ['a:1']],
  ['a:1,,b:2', ['a:1', 'b:2']],
  ['a:1,A:1,a:01', ['a:1']],
])('the brokers %s are understood', (list, brokers) => {
  expect(readBrokers(list)).toEqual(brokers);
});

const secret = 's3cret';

test.each([
  ['GATE_REDIS_URL', 'http://gate', /redis:\/\/ or rediss:\/\//],
  ['GATE_REDIS_URL', 'gate:6379', /must be redis:\/\//],
  ['GATE_REDIS_URL', `redis://:${secret}@`, /the host is missing/],
  ['GATE_REDIS_URL', 'redis://gate:99999', /the port/],
  ['GATE_REDIS_URL', 'redis://gate:0', /the port/],
  ['GATE_REDIS_URL', 'redis://gate:', /the port/],
  ['GATE_REDIS_URL', 'redis://gate:6379garbage', /the port/],
  ['GATE_REDIS_URL', 'redis://gate:6379/one', /the database/],
  ['GATE_REDIS_URL', 'redis://gate:6379/-1', /the database/],
  ['GATE_REDIS_URL', 'redis://gate:6379/0/1', /the database/],
  ['GATE_REDIS_URL', 'redis://gate:6379/0garbage', /the database/],
  ['GATE_REDIS_URL', 'redis://gate/1?db=2', /the database is given twice/],
  ['GATE_REDIS_URL', 'redis://gate/0 ', /blanks/],
  ['GATE_REDIS_URL', 'redis://gate/0#x', /behind #/],
  ['GATE_REDIS_URL', 'redis://gate?foo=bar', /the parameter foo is not understood/],
  ['GATE_REDIS_URL', 'redis://gate?family=5', /family/],
  ['GATE_REDIS_URL', `redis://${secret}@gate`, /a user without a password/],
  ['GATE_REDIS_URL', `redis://:${secret}%zz@gate`, /the password has a %/],
  ['GATE_REDIS_URL', `redis://:${secret}@x@gate`, /percent-encoded/],
  ['GATE_REDIS_URL', 'redis://gate,other', /the host is neither/],
  ['GATE_REDIS_URL', 'redis://[::zz]', /the host is neither/],
  ['GATE_REDIS_URL', 'redis://::1', /the port/],
  ['GATE_REDIS_URL', 'unix://host/run/redis.sock', /a Unix socket is written/],
  ['JOBS_REDIS_URL', 'redis://jobs/x', /the database/],
  ['MYSQL_URL', 'mysqlx://ann@db/coupons', /must be a mysql:\/\//],
  ['MYSQL_URL', 'mysql://ann@/coupons', /the host is missing/],
  ['MYSQL_URL', 'mysql://db/coupons', /the user is missing/],
  ['MYSQL_URL', 'mysql://ann@db', /the database, behind the host, is missing/],
  ['MYSQL_URL', 'mysql://ann@db/', /the database, behind the host, is missing/],
  ['MYSQL_URL', 'mysql://ann@db/a/b', /the database has a slash/],
  ['MYSQL_URL', 'mysql://ann@db:99999/coupons', /the port/],
  ['MYSQL_URL', `mysql://ann:${secret}@db/coupons?foo=${secret}`, /the parameter foo/],
  ['MYSQL_URL', 'mysql://ann@db/coupons?charset=latin1', /charset can only be utf8mb4/],
  ['MYSQL_URL', 'mysql://ann@db/coupons?ssl-mode=PREFERRED', /PREFERRED would fall back/],
  ['MYSQL_URL', 'mysql://ann@db/coupons?ssl-mode=yes', /ssl-mode must be/],
  ['MYSQL_URL', 'mysql://ann@db/coupons?ssl-mode', /ssl-mode must be/],
  ['MYSQL_URL', 'mysql://ann@db/coupons?ssl-mode=REQUIRED&ssl={}', /two ways/],
  ['MYSQL_URL', 'mysql://ann@db/coupons?ssl-mode=REQUIRED&sslMode=DISABLED', /given twice/],
  ['MYSQL_URL', 'mysql://ann@db/coupons?ssl=true', /ssl must be a JSON object/],
  ['MYSQL_URL', 'mysql://ann@db/coupons?ssl={"key":"x"}', /ssl may have/],
  ['MYSQL_URL', 'mysql://ann@db/coupons?socket=run', /the socket must be/],
  ['KAFKA_BROKERS', 'host', /must be host:port/],
  ['KAFKA_BROKERS', ',', /must be host:port/],
  ['KAFKA_BROKERS', ':9092', /must be host:port/],
  ['KAFKA_BROKERS', 'host:', /the port/],
  ['KAFKA_BROKERS', 'host:99999', /the port/],
  ['KAFKA_BROKERS', 'host:9092x', /the port/],
  ['KAFKA_BROKERS', '[::1]:9092', /IPv6/],
  ['KAFKA_BROKERS', 'SASL_SSL://host:9092', /without a scheme/],
  ['KAFKA_BROKERS', 'a host:9092', /the host is neither/],
  ['GATE_REDIS_CA_FILE', '/nowhere.pem', /cannot be read: ENOENT/],
])('%s=%s is refused in words that name the part, and show no value', (setting, value, reason) => {
  const text = describeConfigErrors(environmentSchema.safeParse({ [setting]: value }).error!);
  expect(text).toMatch(new RegExp(`${setting}: .*${reason.source}`));
  expect(text).not.toContain(secret);
});

test('a CA for a connection that is not TLS is refused', () => {
  const given = { JOBS_REDIS_CA_FILE: 'package.json' };
  const text = describeConfigErrors(environmentSchema.safeParse(given).error!);
  expect(text).toContain('JOBS_REDIS_CA_FILE: is for TLS, and JOBS_REDIS_URL does not begin');
});

test('what is wrong in several URLs is listed together', () => {
  const given = { GATE_REDIS_URL: 'x', MYSQL_URL: 'x', KAFKA_BROKERS: 'x', API_PORT: 'x' };
  const text = describeConfigErrors(environmentSchema.safeParse(given).error!);
  for (const setting of Object.keys(given)) {
    expect(text).toContain(`${setting}: `);
  }
});
