/** How often a header was sent, its name in lower case; of several Node keeps one, and says nothing. */
export function timesGiven(rawHeaders: readonly string[], name: string): number {
  let times = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const each = rawHeaders[i]!;
    if (each.length === name.length && each.toLowerCase() === name) {
      times += 1;
    }
  }
  return times;
}
