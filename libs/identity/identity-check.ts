import type { CheckResult } from '#platform/checks/check.ts';
import type { Config } from '#platform/config/config.ts';
import { asksForIdentity } from '#platform/config/identity-settings.ts';
import { keySetSource } from './key-set-source.ts';

/** Whether who asks must say who he is, and whether what that is checked with is to be had. */
export async function checkIdentity(config: Config): Promise<CheckResult[]> {
  if (!asksForIdentity(config)) {
    const message = 'off: only a trusted network may reach the api, which takes any user_id';
    return [{ name: 'identity', verdict: 'ok', message }];
  }
  const { keys } = await keySetSource(config)();
  const from = config.AUTH_JWKS_URL === undefined ? 'AUTH_JWKS_FILE' : 'AUTH_JWKS_URL';
  const message = `on: ${keys.length} keys in the set of ${from}`;
  return [{ name: 'identity', verdict: 'ok', message }, ...judgeClaims(config)];
}

/** A token for another service, or from another issuer with the same keys, would be taken. */
function judgeClaims(config: Config): CheckResult[] {
  const missing = (['AUTH_ISSUER', 'AUTH_AUDIENCE'] as const).filter(
    (name) => config[name] === undefined,
  );
  return missing.length === 0
    ? []
    : [
        {
          name: 'identity.claims',
          verdict: 'warning',
          message: `${missing.join(' and ')} not set`,
          why: 'tokens that were made for other services are taken, too',
          remedy: `set ${missing.join(' and ')}`,
        },
      ];
}
