import { firstcomeOrThrow } from '../processes/cli.ts';
import type { Report } from '../terminal/progress.ts';

/** The key that the first machine asks with, where identity is on and there never was one. */
export async function makeFirstKey(
  env: Record<string, string>,
  report: Report,
): Promise<string | undefined> {
  if (!isIdentityOn(process.env)) {
    return undefined;
  }
  const args = ['--name', 'first', '--scopes', 'assign,read,admin', '--if-none', '--json'];
  const made = await report.step('first API key', () =>
    firstcomeOrThrow(env, 'keys', 'create', ...args),
  );
  return (JSON.parse(made) as { key: string } | null)?.key;
}

function isIdentityOn({ AUTH_JWKS_URL: url, AUTH_JWKS_FILE: file }: NodeJS.ProcessEnv): boolean {
  return Boolean(url) || Boolean(file);
}

/** Who is asked. The key is shown here once, and is kept nowhere. */
export function identityOf(environment: NodeJS.ProcessEnv, firstKey: string | undefined): string {
  if (!isIdentityOn(environment)) {
    return 'Identity is off, for a trusted network only: anybody may ask for any user (AUTH_JWKS_URL).\n';
  }
  const made = firstKey === undefined ? '' : `The first API key, shown this once:\n  ${firstKey}\n`;
  return `Identity is on: requests need Authorization: Bearer, with a token or an API key.\n${made}`;
}
