import { z } from 'zod';
import { readKeySetUrl } from '../urls/key-set-url.ts';
import { readKeySetFile } from './key-set.ts';
import { flag, milliseconds, optional, refine, wholeNumber } from './setting-kinds.ts';

/** Signatures by a private key that only the issuer of the tokens has; never HS*, never none. */
export const signatureAlgorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
] as const;

const algorithms = z.string().transform((list, context) => {
  const names = list
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean);
  const unknown = names.filter((name) => !signatureAlgorithms.some((known) => known === name));
  if (names.length === 0) {
    context.addIssue({ code: 'custom', message: 'must name at least one algorithm' });
  } else if (unknown.length > 0) {
    // HS256 with a public key for its secret is the attack this setting is there for.
    const message = `must have none but ${signatureAlgorithms.join(', ')}: keys are public here`;
    context.addIssue({ code: 'custom', message });
  }
  return names;
});

/** `AUTH_JWKS_URL=${FORGOTTEN}` must not let everybody in. */
const given = z
  .string()
  .trim()
  .min(1, 'must not be empty: leave it out to turn identity off')
  .optional();

/** Who asks: off unless there is a key set to check tokens with. */
export const identitySettings = {
  AUTH_JWKS_URL: given.describe(
    'Key set (JWKS) that bearer tokens are checked with, https://; identity is off without it.',
  ),
  AUTH_JWKS_FILE: given.describe(
    'The same from a file, read again every AUTH_JWKS_REFRESH_S; {"keys":[]} for API keys only.',
  ),
  AUTH_JWKS_ALLOW_HTTP: flag
    .default(false)
    .describe('Take http:// for AUTH_JWKS_URL also where it leads to another machine.'),
  AUTH_JWKS_REFRESH_S: wholeNumber(1, 86_400)
    .default(60)
    .describe('How often the key set is read; a key it drops stops at the latest then.'),
  AUTH_JWKS_COOL_DOWN_MS: milliseconds()
    .default(5_000)
    .describe('Least time between two reads for the sake of tokens with an unknown key.'),
  AUTH_ALGORITHMS: algorithms
    .prefault('RS256,PS256,ES256,EdDSA')
    .describe('Algorithms that a token may be signed with, separated by commas.'),
  AUTH_ISSUER: optional.describe('What `iss` of a token must be; any without it.'),
  AUTH_AUDIENCE: optional.describe('What `aud` of a token must be or have in it; any without it.'),
  AUTH_CLOCK_LEEWAY_S: wholeNumber(0, 300)
    .default(5)
    .describe('By how much the clock of who makes tokens may differ from ours.'),
  AUTH_KEYS_KEEP_S: wholeNumber(2, 86_400)
    .default(900)
    .describe('How long known API keys work on while MySQL is away; then they get 503.'),
};

/** The settings that mean nothing, or that somebody is safe who is not, without a key set. */
const needKeySet = ['AUTH_ISSUER', 'AUTH_AUDIENCE'] as const;

type IdentityConfig = z.output<z.ZodObject<typeof identitySettings>>;

/** Whether who asks must say who he is. */
export function asksForIdentity(
  config: Pick<IdentityConfig, 'AUTH_JWKS_URL' | 'AUTH_JWKS_FILE'>,
): boolean {
  return config.AUTH_JWKS_URL !== undefined || config.AUTH_JWKS_FILE !== undefined;
}

/** What the settings of identity demand of each other. */
export function checkIdentity(config: IdentityConfig, context: z.RefinementCtx): void {
  const { AUTH_JWKS_URL: url, AUTH_JWKS_FILE: file, AUTH_JWKS_ALLOW_HTTP: mayBeHttp } = config;
  const refuse = (setting: keyof IdentityConfig, message: string): void =>
    context.addIssue({ code: 'custom', path: [setting], message });
  if (url !== undefined && file !== undefined) {
    refuse('AUTH_JWKS_FILE', 'must not be set beside AUTH_JWKS_URL: there is one key set');
  }
  if (url !== undefined) {
    refine(context, () => readKeySetUrl(url, mayBeHttp), 'AUTH_JWKS_URL');
  }
  if (file !== undefined) {
    refine(context, () => readKeySetFile(file), 'AUTH_JWKS_FILE');
  }
  if (!asksForIdentity(config)) {
    for (const setting of needKeySet.filter((name) => config[name] !== undefined)) {
      refuse(setting, 'needs AUTH_JWKS_URL or AUTH_JWKS_FILE: without a key set nobody is asked');
    }
  }
}
