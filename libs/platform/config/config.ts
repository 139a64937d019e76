import type { z } from 'zod';
import { exitCodes } from '../command/exit-codes.ts';
import { anyOrigin } from './allowed-origins.ts';
import { checkIdentity } from './identity-settings.ts';
import { inWords } from './in-words.ts';
import { refine } from './setting-kinds.ts';
import { settings } from './settings.ts';
import { readMysqlUrl } from '../urls/mysql-url.ts';

/** Of a key that nobody finds by trying. */
const userIdKeyLengthMin = 16;

/** Every setting, and what some of them demand of each other. */
export const environmentSchema = settings
  .refine(
    ({ KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME, KAFKA_SASL_PASSWORD }) =>
      KAFKA_SASL_MECHANISM === '' || (KAFKA_SASL_USERNAME && KAFKA_SASL_PASSWORD),
    { path: ['KAFKA_SASL_MECHANISM'], error: 'needs KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD' },
  )
  .refine(
    ({ LOG_USER_IDS, LOG_USER_ID_KEY = '' }) =>
      LOG_USER_IDS === 'plain' || LOG_USER_ID_KEY.length >= userIdKeyLengthMin,
    {
      path: ['LOG_USER_ID_KEY'],
      error: `needs at least ${userIdKeyLengthMin} characters where LOG_USER_IDS is hashed`,
    },
  )
  .refine((config) => config.KAFKA_MIN_INSYNC_REPLICAS <= config.KAFKA_REPLICATION_FACTOR, {
    path: ['KAFKA_MIN_INSYNC_REPLICAS'],
    error: 'must not be more than KAFKA_REPLICATION_FACTOR: nothing could be written',
  })
  .refine(
    (config) => !config.CORS_CREDENTIALS || !config.CORS_ALLOWED_ORIGINS.includes(anyOrigin),
    {
      path: ['CORS_CREDENTIALS'],
      error:
        'must not be true where CORS_ALLOWED_ORIGINS is *: any page could act for who visits it',
    },
  )
  .refine((config) => config.API_HEADERS_TIMEOUT_MS <= config.API_REQUEST_TIMEOUT_MS, {
    path: ['API_HEADERS_TIMEOUT_MS'],
    error: 'must not be longer than API_REQUEST_TIMEOUT_MS: the headers are part of a request',
  })
  .refine((config) => config.EVENTS_HEARTBEAT_MS < config.API_IDLE_TIMEOUT_MS, {
    path: ['EVENTS_HEARTBEAT_MS'],
    error: 'must be shorter than API_IDLE_TIMEOUT_MS: who ends idle connections would end streams',
  })
  .refine(
    ({ EVENTS_MAX_S, EVENTS_HEARTBEAT_MS }) =>
      EVENTS_MAX_S === 0 || EVENTS_MAX_S * 1_000 > EVENTS_HEARTBEAT_MS,
    {
      path: ['EVENTS_MAX_S'],
      error: 'must be longer than EVENTS_HEARTBEAT_MS, or 0: no stream would show that it lives',
    },
  )
  .superRefine(({ MYSQL_URL, MYSQL_CA_FILE }, context) => {
    if (MYSQL_CA_FILE !== undefined) {
      refine(context, () => readMysqlUrl(MYSQL_URL, true), 'MYSQL_URL');
    }
  })
  .superRefine(checkIdentity)
  .superRefine((config, context) => {
    for (const store of ['GATE_REDIS', 'JOBS_REDIS'] as const) {
      if (config[`${store}_CA_FILE`] !== undefined && !/^rediss:/i.test(config[`${store}_URL`])) {
        const message = `is for TLS, and ${store}_URL does not begin with rediss://`;
        context.addIssue({ code: 'custom', path: [`${store}_CA_FILE`], message });
      }
    }
  });

export type Config = z.output<typeof environmentSchema>;

/** What is wrong with the configuration, a line per setting; no value is shown, it may be a password. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** Throws `ConfigError`. */
export function parseConfig(environment: NodeJS.ProcessEnv = process.env): Config {
  const parsed = environmentSchema.safeParse(withoutEmpty(environment), { error: inWords });
  if (parsed.success) {
    return parsed.data;
  }
  throw new ConfigError(describeConfigErrors(parsed.error));
}

/** The one setting that is of use where others are wrong; its default where it is wrong itself. */
export function logLevel(environment: NodeJS.ProcessEnv = process.env): Config['LOG_LEVEL'] {
  const parsed = environmentSchema.shape.LOG_LEVEL.safeParse(environment['LOG_LEVEL'] || undefined);
  return parsed.success ? parsed.data : environmentSchema.shape.LOG_LEVEL.parse(undefined);
}

/** Parses the environment of a process; prints what is wrong with it, and exits with 78. */
export function loadConfig(environment: NodeJS.ProcessEnv = process.env): Config {
  try {
    return parseConfig(environment);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(exitCodes.configuration);
  }
}

/** One readable line per setting that is wrong. */
export function describeConfigErrors(error: z.ZodError): string {
  const lines = error.issues.map((issue) => `  ${issue.path.join('.')}: ${issue.message}`);
  return [
    'The configuration is not valid:',
    ...new Set(lines),
    'See .env.example for every setting.',
  ].join('\n');
}

/** They decide who comes in: an empty one is a mistake, and not the default. */
const neverEmpty = new Set(['AUTH_ALGORITHMS', 'AUTH_JWKS_URL', 'AUTH_JWKS_FILE']);

/** `NAME=` in an env file means "not set". */
function withoutEmpty(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(environment).filter(([name, value]) => value !== '' || neverEmpty.has(name)),
  );
}

/** How wide the shell says its window is; no setting of ours. */
export function columnsOfShell(environment: NodeJS.ProcessEnv = process.env): number | undefined {
  const columns = Number(environment['COLUMNS']);
  return columns > 0 ? columns : undefined;
}
