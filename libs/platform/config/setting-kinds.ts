import { z } from 'zod';
import { readCertificateAuthority } from './certificate-authority.ts';
import { KeySetError } from './key-set.ts';
import { decimalIn, wholeNumberIn } from '../text/decimals.ts';
import { readRedisUrl } from '../urls/redis-url.ts';
import { UrlError } from '../urls/url-parts.ts';

/** What the values of settings are; numbers are plain decimal digits. */

export const port = wholeNumber(1, 65_535);
export const days = decimal(0, 36_500);
export const flag = z.enum(['true', 'false']).transform((value) => value === 'true');
export const optional = z
  .string()
  .transform((value) => (value === '' ? undefined : value))
  .optional();
/** Without the slash at its end. */
export const httpUrl = optional
  .refine((url) => url === undefined || /^https?:\/\/\S+$/.test(url), {
    error: 'must begin with http:// or https://',
  })
  .transform((url) => url?.replace(/\/+$/, ''));
export const certificate = optional.superRefine(
  (file, context) => void refine(context, () => readCertificateAuthority(file)),
);
export const redisUrl = z
  .string()
  .superRefine((url, context) => void refine(context, () => readRedisUrl(url)));

export function wholeNumber(least: number, most: number) {
  return z.preprocess(
    (text) => wholeNumberIn(String(text)),
    z.int({ error: notWhole }).min(least).max(most),
  );
}

function notWhole({ code }: z.core.$ZodRawIssue): string | undefined {
  return code === 'invalid_type' ? 'must be a whole number' : undefined;
}

export function decimal(least: number, most: number) {
  return z.preprocess((text) => decimalIn(String(text)), z.number().min(least).max(most));
}

export function milliseconds(least = 1) {
  return wholeNumber(least, 3_600_000);
}

/** What `read` makes of a value, or an issue in its words; never with the value. */
export function refine<T>(
  context: z.RefinementCtx,
  read: () => T,
  setting?: string,
): T | undefined {
  try {
    return read();
  } catch (error) {
    const { code = 'is not a certificate' } = error as { code?: string };
    const isInWords = error instanceof UrlError || error instanceof KeySetError;
    const message = isInWords ? (error as Error).message : `cannot be read: ${code}`;
    context.addIssue({ code: 'custom', message, ...(setting && { path: [setting] }) });
    return undefined;
  }
}
