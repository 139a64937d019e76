import { hash } from 'node:crypto';
import type { JWTPayload, JWTVerifyOptions } from 'jose';
import { errors, jwtVerify } from 'jose';
import { userIdSchema } from '#coupon/issuance.ts';
import type { CurrentKeys } from './current-keys.ts';

/** Why a token is not taken, each with its words. The set is closed: names are labels of a metric. */
export const tokenFaults = {
  too_long: 'The token is too long.',
  malformed: 'The token is not a signed JWT.',
  algorithm: 'The token is signed by an algorithm that is not taken here.',
  unknown_key: 'The token is signed with a key that is not known here.',
  signature: 'The signature of the token is not right.',
  expired: 'The token has expired.',
  not_yet_valid: 'The token is not valid yet.',
  issuer: 'The token is not from the issuer that is asked for.',
  audience: 'The token is for another audience.',
  claims: 'The token lacks a claim, or has one of a wrong kind: exp and sub are needed.',
  subject: 'The sub of the token cannot be a user_id.',
} as const;

export type TokenFault = keyof typeof tokenFaults;

export class TokenError extends Error {
  override readonly name = 'TokenError';

  constructor(readonly fault: TokenFault) {
    super(tokenFaults[fault]);
  }
}

export interface TokenRules {
  algorithms: string[];
  issuer: string | undefined;
  audience: string | undefined;
  leewayS: number;
}

/** Half of what all headers of a request may have. */
export const tokenLengthMax = 8 * 1_024;

/**
 * Whose a token is. One that was found good is remembered until it expires, as a hash, so that nobody
 * who gets hold of our memory gets tokens. All are forgotten when the keys are others: what a key has
 * signed that is gone is not taken any more.
 */
export class Tokens {
  private readonly remembered = new Map<string, { userId: string; endsAt: number }>();
  private version: number;
  private readonly options: JWTVerifyOptions;

  constructor(
    private readonly keys: CurrentKeys,
    private readonly rules: TokenRules,
    /** Some 200 bytes each. */
    private readonly rememberedMax = 20_000,
  ) {
    this.version = keys.version;
    this.options = {
      algorithms: rules.algorithms,
      clockTolerance: rules.leewayS,
      requiredClaims: ['exp', 'sub'],
      ...(rules.issuer !== undefined && { issuer: rules.issuer }),
      ...(rules.audience !== undefined && { audience: rules.audience }),
    };
  }

  get rememberedCount(): number {
    return this.remembered.size;
  }

  /** The user of a token; throws `TokenError`, or `KeysUnknownError` while nothing can be said. */
  async userOf(token: string): Promise<string> {
    if (token.length > tokenLengthMax) {
      throw new TokenError('too_long');
    }
    const name = hash('sha256', token, 'base64');
    const known = this.recall(name);
    if (known !== undefined) {
      return known;
    }
    const { version } = this.keys;
    const payload = await this.verify(token);
    const userId = subjectOf(payload);
    // A key may have gone while its signature was checked, or a new one have come for this very token.
    if (version === this.keys.version) {
      this.remember(name, userId, payload.exp!);
    }
    return userId;
  }

  private async verify(token: string): Promise<JWTPayload> {
    try {
      return (await jwtVerify(token, this.keys.find, this.options)).payload;
    } catch (error) {
      if (!(error instanceof errors.JWKSMultipleMatchingKeys)) {
        throw toTokenError(error);
      }
      return this.verifyWithEach(token, error);
    }
  }

  /** Without a `kid` it may be any of them. */
  private async verifyWithEach(
    token: string,
    keys: errors.JWKSMultipleMatchingKeys,
  ): Promise<JWTPayload> {
    for await (const key of keys) {
      try {
        return (await jwtVerify(token, key, this.options)).payload;
      } catch (error) {
        if (!(error instanceof errors.JWSSignatureVerificationFailed)) {
          throw toTokenError(error);
        }
      }
    }
    throw new TokenError('signature');
  }

  private recall(name: string): string | undefined {
    if (this.version !== this.keys.version) {
      this.remembered.clear();
      this.version = this.keys.version;
    }
    const known = this.remembered.get(name);
    if (known !== undefined && known.endsAt <= Date.now()) {
      this.remembered.delete(name);
      return undefined;
    }
    return known?.userId;
  }

  /** Whoever has been in it for the longest time makes room. */
  private remember(name: string, userId: string, expiresS: number): void {
    if (this.remembered.size >= this.rememberedMax) {
      this.remembered.delete(this.remembered.keys().next().value!);
    }
    this.remembered.set(name, { userId, endsAt: (expiresS + this.rules.leewayS) * 1_000 });
  }
}

/** By the rules of `user_id`. A payload that is not UTF-8 has not come that far. */
function subjectOf({ sub }: JWTPayload): string {
  const subject = userIdSchema.safeParse(sub);
  if (!subject.success) {
    throw new TokenError('subject');
  }
  return subject.data;
}

function toTokenError(error: unknown): unknown {
  if (error instanceof errors.JWTExpired) {
    return new TokenError('expired');
  }
  if (error instanceof errors.JWTClaimValidationFailed) {
    return new TokenError(faultOfClaim(error));
  }
  if (error instanceof errors.JOSEAlgNotAllowed) {
    return new TokenError('algorithm');
  }
  if (error instanceof errors.JWKSNoMatchingKey) {
    return new TokenError('unknown_key');
  }
  if (error instanceof errors.JWSSignatureVerificationFailed) {
    return new TokenError('signature');
  }
  // `TypeError`: a key that cannot be what its token says, such as RSA of 1024 bits.
  const isOfToken =
    error instanceof errors.JOSEError || error instanceof TypeError || isOfWebCrypto(error);
  return isOfToken ? new TokenError('malformed') : error;
}

function faultOfClaim({ claim, reason }: errors.JWTClaimValidationFailed): TokenFault {
  switch (claim) {
    case 'iss':
      return 'issuer';
    case 'aud':
      return 'audience';
    case 'nbf':
      return reason === 'check_failed' ? 'not_yet_valid' : 'claims';
    default:
      return 'claims';
  }
}

/** A key of the set that is no key of its kind. */
function isOfWebCrypto(error: unknown): boolean {
  return error instanceof DOMException;
}
