/** A time span for a glance: `0.4 s`, `12 s`, `3 min`, `2 h`, `5 d`. */
export function spanOf(seconds: number): string {
  if (seconds < 1) {
    return `${Math.round(seconds * 10) / 10} s`;
  }
  if (seconds < 120) {
    return `${Math.round(seconds)} s`;
  }
  if (seconds < 7_200) {
    return `${Math.round(seconds / 60)} min`;
  }
  return seconds < 172_800
    ? `${Math.round(seconds / 3_600)} h`
    : `${Math.round(seconds / 86_400)} d`;
}

export function rateOf(perSecond: number): string {
  return `${perSecond > 0 && perSecond < 10 ? Math.round(perSecond * 10) / 10 : Math.round(perSecond)}/s`;
}

export function bytesOf(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = Math.min(units.length - 1, bytes < 1 ? 0 : Math.floor(Math.log2(bytes) / 10));
  const value = bytes / 1_024 ** power;
  return `${value < 10 && power > 0 ? value.toFixed(1) : Math.round(value)} ${units[power]}`;
}

/** With thin groups of three, as a person reads it; unknown is a dash. */
export function countOf(count: number | null): string {
  return count === null ? '–' : count.toLocaleString('en').replaceAll(',', ' ');
}

export function knownOr<T>(value: T | null, toText: (value: T) => string): string {
  return value === null ? '–' : toText(value);
}
