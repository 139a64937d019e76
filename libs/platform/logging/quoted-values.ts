/**
 * How MySQL and MariaDB quote the values of a statement in what they say about it: user ids, among
 * others. The quotes inside of a value are not escaped, so each form goes to its known end.
 */
const quotations = [
  /(?<before>Duplicate entry ').*?(?<after>' for key )/g,
  /(?<before>(?:Incorrect|Truncated incorrect) [\w ]+ value: ').*?(?<after>'(?: for (?:column|function)|["\\]|$))/g,
  /(?<before>syntax to use near ').*?(?<after>' at line \d)/g,
  /(?<before>Data truncated for column '[^']*', value ').*?(?<after>')/g,
];

/** A line without the values that a driver has quoted in its message; what is wrong stays readable. */
export function withoutQuotedValues(line: string): string {
  return quotations.reduce((text, form) => text.replace(form, '$<before>…$<after>'), line);
}
