/** The number that a text of plain digits says: nothing for `1e3`, `0x10`, `+5`, ` 5` or `٥`. */
export function wholeNumberIn(text: string): number | undefined {
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** The same for one that may have a fraction, as in `0.5`. */
export function decimalIn(text: string): number | undefined {
  return /^(?:\d{1,15}|\d{0,15}\.\d{1,30})$/.test(text) ? Number(text) : undefined;
}
