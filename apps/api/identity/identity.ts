import type { FastifyInstance } from 'fastify';
import { CurrentKeys } from '#identity/current-keys.ts';
import { keySetSource } from '#identity/key-set-source.ts';
import { Tokens } from '#identity/tokens.ts';
import type { Config } from '#platform/config/config.ts';
import { asksForIdentity } from '#platform/config/identity-settings.ts';
import type { Probes } from '#platform/health/health-probes.ts';
import type { ProcessContext } from '#platform/process/run-process.ts';
import { Loop } from '#platform/work/loop.ts';
import { within } from '#platform/work/waiting.ts';
import type { Stores } from '#stores/stores.ts';
import type { CouponCatalogue } from '../coupon/coupon-catalogue.ts';
import type { DecidedLookups } from '../waiting/decided-lookups.ts';
import { Callers } from './callers.ts';
import { IdentityMetrics } from './identity-metrics.ts';
import { KnownKeys } from './known-keys.ts';
import { Ownership } from './ownership.ts';
import { Rights } from './rights.ts';
import { neededScope } from './route-rules.ts';

/** Whether it is time to read the key set; how often it is read is a setting. */
const keySetCheckMs = 250;
/** A key that is revoked stops after that and one query: within two seconds, as it is promised. */
const apiKeysRefreshMs = 500;
const usedNotedMs = 5_000;
const keysStaleMs = 5_000;
const closeMaxMs = 1_000;

/** Who asks, and what he may ask for. */
export interface Identity {
  /** To be called when overload is shed, and before there are routes: they find `request.caller`. */
  standBefore(fastify: FastifyInstance): void;
  /** Without these nobody can be served. */
  probes: Probes;
  /** Without these things go on as they were. */
  reports: Probes;
  close(): Promise<void>;
}

/** By the settings: everybody is believed, or everybody is asked. */
export function openIdentity(
  context: ProcessContext,
  stores: Stores<'gate' | 'ledger'>,
  catalogue: CouponCatalogue,
  lookups: DecidedLookups,
): Identity {
  return asksForIdentity(context.config)
    ? asking(context, stores, catalogue, lookups)
    : believing(context);
}

function believing({ logger, config }: ProcessContext): Identity {
  logger.info(
    `identity is off: whoever reaches port ${config.API_PORT} may ask for any user. ` +
      'For a trusted network only; AUTH_JWKS_URL or AUTH_JWKS_FILE turns it on',
  );
  return { standBefore: () => {}, probes: {}, reports: {}, close: async () => {} };
}

function asking(
  { config, logger, telemetry }: ProcessContext,
  stores: Stores<'gate' | 'ledger'>,
  catalogue: CouponCatalogue,
  lookups: DecidedLookups,
): Identity {
  const keySet = new CurrentKeys(keySetSource(config), {
    refreshMs: config.AUTH_JWKS_REFRESH_S * 1_000,
    coolDownMs: config.AUTH_JWKS_COOL_DOWN_MS,
  });
  const tokens = new Tokens(keySet, rulesOf(config));
  const keys = new KnownKeys(stores.apiKeys, config.AUTH_KEYS_KEEP_S * 1_000);
  const metrics = new IdentityMetrics(telemetry, keySet, tokens, keys);
  const callers = new Callers(tokens, keys, metrics);
  const ownership = new Ownership(
    stores.gate,
    stores.hints,
    lookups,
    catalogue,
    config.GATE_TIMEOUT_MS,
  );
  const rights = new Rights(ownership, metrics);
  const loops = [
    new Loop('reading of the key set', keySetCheckMs, () => keySet.refreshIfDue(), logger),
    new Loop('reading of the API keys', apiKeysRefreshMs, () => keys.refresh(), logger),
    new Loop('noting which API keys are used', usedNotedMs, () => keys.noteUsed(), logger),
  ];
  loops.forEach((loop) => loop.start());
  logger.info('identity is on: users are those of their tokens, machines need an API key');
  return {
    standBefore: (fastify) => {
      fastify.decorateRequest('caller', undefined);
      // Before a body is read: nobody reads what a stranger sends.
      fastify.addHook('onRequest', async (request) => {
        if (neededScope(request.method, request.routeOptions.url) !== undefined) {
          request.caller = await callers.callerOf(request.raw);
        }
      });
      // When the body is there, and a place is taken: it may take a look at the stores.
      fastify.addHook('preValidation', (request) => rights.check(request));
    },
    probes: { key_set: () => keySet.problem() },
    reports: { key_set_age: () => keySet.staleness(), api_keys_age: () => staleness(keys) },
    close: async () => {
      // With what was used in the last seconds; that is for people only, and not worth a long wait.
      const stopped = Promise.all(loops.map((loop) => loop.stop())).then(() => keys.noteUsed());
      await within(closeMaxMs, () => stopped).catch(() => {});
    },
  };
}

/** In words; `undefined` while they are read as they should be. */
function staleness({ ageMs = Infinity }: KnownKeys): string | undefined {
  return ageMs > keysStaleMs
    ? 'the API keys were not read from MySQL lately: one that is revoked may still work'
    : undefined;
}

function rulesOf(config: Config) {
  return {
    algorithms: config.AUTH_ALGORITHMS,
    issuer: config.AUTH_ISSUER,
    audience: config.AUTH_AUDIENCE,
    leewayS: config.AUTH_CLOCK_LEEWAY_S,
  };
}
