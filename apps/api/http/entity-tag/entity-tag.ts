import { createHash } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';

/**
 * What no cache may keep: a copy of ACCEPTED, or of the wallet of somebody else, would be a lie. The tag
 * is for the client itself, which knows what it was told and need not be sent it again.
 */
export const uncached = { 'cache-control': 'no-store' } as const;

/** Sends a body with its tag; 304, and none, to a client that names the tag in If-None-Match. */
export function sendUncached(
  asked: FastifyRequest,
  reply: FastifyReply,
  body: object,
  tag: string,
): void {
  void reply.headers({ ...uncached, etag: tag });
  if (isNamed(tag, asked.headers['if-none-match'])) {
    void reply.code(304).send();
  } else {
    void reply.send(body);
  }
}

/** The same for the same content. */
export function tagOfContent(body: object): string {
  return `"${createHash('sha256').update(JSON.stringify(body)).digest('base64url').slice(0, 22)}"`;
}

/** Whether If-None-Match has it, by weak comparison (RFC 9110, 8.8.3.2 and 13.1.2). */
export function isNamed(tag: string, ifNoneMatch: string | undefined): boolean {
  if (ifNoneMatch === undefined) {
    return false;
  }
  const opaque = tag.replace(/^W\//, '');
  return (
    ifNoneMatch.trim() === '*' ||
    (ifNoneMatch.match(/"[^"]*"/g) ?? []).some((named) => named === opaque)
  );
}
