import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  ConfigError,
  describeConfigErrors,
  environmentSchema,
  logLevel,
  parseConfig,
} from './config.ts';
import { renderEnvExample } from './env-example.ts';

describe('configuration', () => {
  it('has a default for every setting', () => {
    expect(environmentSchema.safeParse({}).success).toBe(true);
  });

  it('lists everything that is wrong, a line per setting, without showing a value', () => {
    const parsed = environmentSchema.safeParse({
      API_PORT: 'eighty',
      GATE_REDIS_URL: 'http://user:s3cret@gate',
      KAFKA_BROKERS: 'no-port',
    });
    const text = describeConfigErrors(parsed.error!);
    expect(text).toMatch(/API_PORT: /);
    expect(text).toMatch(/GATE_REDIS_URL: must be a redis/);
    expect(text).toMatch(/KAFKA_BROKERS: must be host:port/);
    expect(text).not.toContain('s3cret');
  });

  it.each([
    ['API_PORT', 'eighty', 'must be a whole number'],
    ['API_PORT', '1.5', 'must be a whole number'],
    ['API_PORT', '0', 'must be at least 1'],
    ['ASSIGN_IN_FLIGHT_MAX', '9999999', 'must be at most 100000'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:4318', 'must be an http:// or https:// URL'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'http://', 'must be an http:// or https:// URL'],
    ['TRACES_SAMPLE_RATIO', '2', 'must be at most 1'],
    ['LOG_USER_IDS', 'hidden', 'must be one of plain, hashed'],
    ['LOG_LEVEL', 'loud', 'must be one of trace, debug, info, warn, error, fatal, silent'],
    ['KAFKA_SSL', 'yes', 'must be one of true, false'],
    ['GATE_KEY_PREFIX', 'a b', 'at most 64 letters'],
    ['API_HEADERS_TIMEOUT_MS', '10001', 'must not be longer than API_REQUEST_TIMEOUT_MS'],
    ['EVENTS_HEARTBEAT_MS', '72000', 'must be shorter than API_IDLE_TIMEOUT_MS'],
    ['EVENTS_MAX_S', '15', 'must be longer than EVENTS_HEARTBEAT_MS'],
    ['WAIT_MAX_S', '31', 'must be at most 30'],
    ...['true', '*', 'all', 'loopback', '10.0.0.1,', '10.0.0.0/33', '10.0.0.0/x', '300.0.0.1'].map(
      (value) => ['TRUST_PROXY', value, ''],
    ),
    ['TRUST_PROXY', '0.0.0.0/0', 'must not be every address'],
    ['TRUST_PROXY', '10.0.0.1,::/0', 'must not be every address'],
    ['TRUST_PROXY', '0', 'must be 1 to 10 hops'],
    ['TRUST_PROXY', '11', 'must be 1 to 10 hops'],
    ...[
      'shop.example',
      'https://shop.example/',
      'https://*.shop.example',
      'https://Shop.example',
      'https://shop.example:443',
      'null',
      'https://a.example,',
    ].map((value) => ['CORS_ALLOWED_ORIGINS', value, 'must be origins as browsers write them']),
    ['CORS_ALLOWED_ORIGINS', '*,https://shop.example', 'must be * alone'],
  ] as [string, string, string][])(
    'says what is wrong with %s=%s in our words',
    (name, value, words) => {
      const parse = () => parseConfig({ [name]: value });
      expect(parse).toThrow(ConfigError);
      expect(parse).toThrow(`${name}: ${words}`);
      expect(parse).not.toThrow(/expected|received|Invalid/);
    },
  );

  const numbers = Object.entries(environmentSchema.parse({})).flatMap(([name, value]) =>
    typeof value === 'number' ? [[name, value] as const] : [],
  );
  it.each(numbers)('takes %s as plain digits only, such as %d', (name, value) => {
    expect(parseConfig({ [name]: String(value) })).toHaveProperty(name, value);
    for (const other of [`${value}e0`, '0x1F', `${value}.`, ` ${value}`, `+${value}`, '1_0']) {
      const parse = () => parseConfig({ [name]: other });
      expect(parse, other).toThrow(new RegExp(`${name}: must be a (whole )?number$`, 'm'));
    }
  });

  it('refuses settings that contradict each other', () => {
    const parse = (env: Record<string, string>) =>
      describeConfigErrors(environmentSchema.safeParse(env).error!);
    expect(parse({ KAFKA_SASL_MECHANISM: 'plain' })).toContain('needs KAFKA_SASL_USERNAME');
    const everybody = { CORS_ALLOWED_ORIGINS: '*', CORS_CREDENTIALS: 'true' };
    expect(parse(everybody)).toContain('CORS_CREDENTIALS: must not be true');
    expect(parse({ KAFKA_REPLICATION_FACTOR: '1' })).toContain('KAFKA_MIN_INSYNC_REPLICAS');
  });

  it('has a log level also where another setting is wrong, or it is wrong itself', () => {
    expect(logLevel({ LOG_LEVEL: 'debug', API_PORT: 'x' })).toBe('debug');
    expect(['loud', '', undefined].map((level) => logLevel({ LOG_LEVEL: level }))).toEqual([
      'info',
      'info',
      'info',
    ]);
  });

  it('takes proxies and origins exactly', () => {
    const taken = (env: Record<string, string>) => environmentSchema.parse(env);
    expect(taken({ TRUST_PROXY: '2' }).TRUST_PROXY).toBe(2);
    expect(taken({ TRUST_PROXY: '10.0.0.0/8, ::1,fd00::/8' }).TRUST_PROXY).toEqual([
      '10.0.0.0/8',
      '::1',
      'fd00::/8',
    ]);
    const origins = ['https://shop.example', 'http://localhost:3000'];
    expect(taken({ CORS_ALLOWED_ORIGINS: origins.join(', ') }).CORS_ALLOWED_ORIGINS).toEqual(
      origins,
    );
  });

  it('splits the brokers', () => {
    expect(environmentSchema.parse({ KAFKA_BROKERS: 'a:1, b:2' }).KAFKA_BROKERS).toEqual([
      'a:1',
      'b:2',
    ]);
  });
});

describe('.env.example', () => {
  it('is what the schema says (npm run env:generate)', () => {
    expect(readFileSync('.env.example', 'utf8')).toBe(renderEnvExample());
  });
});
