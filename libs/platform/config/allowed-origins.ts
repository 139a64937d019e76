import { UrlError } from '../urls/url-parts.ts';

/** Everybody. */
export const anyOrigin = '*';

/** Throws in words what keeps `text` from being a list of origins as browsers write them, or `*`. */
export function readAllowedOrigins(text: string): readonly string[] {
  const origins = text === '' ? [] : text.split(',').map((one) => one.trim());
  if (origins.length > 1 && origins.includes(anyOrigin)) {
    throw new UrlError('must be * alone, or a list without it');
  }
  for (const origin of origins) {
    if (origin !== anyOrigin && !isOrigin(origin)) {
      throw new UrlError(
        'must be origins as browsers write them (https://shop.example), separated by commas: no path, no slash at the end, no pattern',
      );
    }
  }
  return origins;
}

function isOrigin(text: string): boolean {
  return /^https?:\/\/[^*]+$/.test(text) && URL.canParse(text) && new URL(text).origin === text;
}
