/** They move the cursor, forge lines, turn what follows around, or are half a character. */
const steering = String.raw`[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]`;

/** They have no shape, so that two texts look the same; joiners and selectors are part of letters. */
const invisible = String.raw`(?![\u200C\u200D\uFE0E\uFE0F])\p{Default_Ignorable_Code_Point}`;

const unprintable = new RegExp(`${steering}|${invisible}`, 'gu');

/**
 * Text of whatever origin as a terminal may show it: what steers a terminal, or hides, is written as
 * JSON would escape it. Inside of JSON the escapes mean the same text again.
 */
export function printable(text: string): string {
  return text.replaceAll(unprintable, escape);
}

/** The same for several lines. */
export function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n');
}

function escape(character: string): string {
  const units = Array.from({ length: character.length }, (_, i) => character.charCodeAt(i));
  return units.map((unit) => String.raw`\u${unit.toString(16).padStart(4, '0')}`).join('');
}
