import type { CurrentKeys } from '#identity/current-keys.ts';
import type { TokenFault, Tokens } from '#identity/tokens.ts';
import type { Telemetry } from '#platform/telemetry/telemetry.ts';
import type { KnownKeys } from './known-keys.ts';

/** Why somebody was sent away who asked for himself, or for what he may not. */
export type RefusedFor = TokenFault | 'nothing' | 'several' | 'api_key' | 'scope' | 'other_user';

/** Who was sent away, and how old what all are checked with is. */
export class IdentityMetrics {
  private readonly refused = new Map<RefusedFor, number>();

  constructor({ observed }: Telemetry, keys: CurrentKeys, tokens: Tokens, known: KnownKeys) {
    observed.counter(
      'firstcome_identity_refused_total',
      'Requests answered 401 or 403, and 404 to somebody else, by reason.',
      (observe) => this.refused.forEach((count, reason) => observe(count, { reason })),
    );
    observed.gauge(
      'firstcome_key_set_age_seconds',
      'Since the key set in use was read.',
      (observe) => observe(inSeconds(keys.ageMs)),
    );
    observed.counter(
      'firstcome_key_set_reads_total',
      'How often the key set was read, or was to be.',
      (observe) =>
        Object.entries(keys.reads).forEach(([outcome, count]) => observe(count, { outcome })),
    );
    observed.gauge(
      'firstcome_tokens_remembered',
      'Tokens that need no check of their signature until they expire.',
      (observe) => observe(tokens.rememberedCount),
    );
    observed.gauge('firstcome_api_keys', 'API keys that are taken.', (observe) =>
      observe(known.count),
    );
    observed.gauge(
      'firstcome_api_keys_age_seconds',
      'Since the API keys were read from MySQL.',
      (observe) => observe(inSeconds(known.ageMs)),
    );
  }

  refuse(reason: RefusedFor): void {
    this.refused.set(reason, (this.refused.get(reason) ?? 0) + 1);
  }
}

function inSeconds(milliseconds: number | undefined): number | undefined {
  return milliseconds === undefined ? undefined : milliseconds / 1_000;
}
