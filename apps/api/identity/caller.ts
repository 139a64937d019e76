import type { Scope } from '#identity/api-key.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks; nothing while identity is off, and for routes that ask nobody. */
    caller?: Caller | undefined;
  }
}

/** A user asks for himself only; a machine for anybody, as far as its scopes go. */
export type Caller =
  { kind: 'user'; userId: string } | { kind: 'machine'; keyId: string; scopes: ReadonlySet<Scope> };
