import { createHash } from 'node:crypto';

/** What a statement asks, without what it asks about: no value of it is left. */
export interface Fingerprint {
  /** Readable and short: verb, table, and a hash of the text. */
  name: string;
  /** Every value a `?`, every list of values one value. */
  text: string;
}

const comments = /\/\*[\s\S]*?\*\/|(?:^|\s)(?:--\s|#)[^\n]*/g;
const strings = /'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*"/gs;
/** Also hexadecimal ones, and the bytes that a string of them began with. */
const numbers = /(?<![\w`.?@])[-+]?(?:0x[\da-f]+|\d+(?:\.\d+)?(?:e[-+]?\d+)?)(?![\w`])/gi;
const bytes = /\b(?:x|b|_binary)\s*\?/gi;

/** Two statements that differ in values only, or in how many of them there are, have the same. */
export function fingerprintOf(sql: string): Fingerprint {
  const text = collapseLists(
    sql
      .replaceAll(strings, '?')
      .replaceAll(comments, ' ')
      .replaceAll(bytes, '?')
      .replaceAll(numbers, '?')
      .replaceAll(/\s+/g, ' ')
      .trim(),
  );
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 8);
  return { name: [verbOf(text), tableOf(text), hash].filter(Boolean).join('_'), text };
}

/** `?, ?, ?` is `?`; so are rows of them, and the branches of a CASE. */
function collapseLists(text: string): string {
  return text
    .replaceAll(/\?(?:\s*,\s*\?)+/g, '?')
    .replaceAll(/\(\s*\?\s*\)(?:\s*,\s*\(\s*\?\s*\))+/g, '(?)')
    .replaceAll(/\(\s*\(\s*\?\s*\)\s*\)/g, '(?)')
    .replaceAll(/(?:WHEN \? THEN \?\s*){2,}/gi, 'WHEN ? THEN ? ');
}

function verbOf(text: string): string {
  return /^\w+/.exec(text)?.[0].toLowerCase() ?? 'unknown';
}

function tableOf(text: string): string {
  return /\b(?:FROM|INTO|UPDATE|TABLE)\s+`?(\w+)/i.exec(text)?.[1]?.toLowerCase() ?? '';
}
