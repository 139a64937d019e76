/** The header of the W3C trace context; a version of ff and ids of zeros only are not valid. */
const traceparentForm = /^(?!ff)[\da-f]{2}-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}$/;

/** A `traceparent` as it was given, or `undefined` when it is none. */
export function wellFormedTraceparent(value: unknown): string | undefined {
  return typeof value === 'string' && traceparentForm.test(value) ? value : undefined;
}

/** The trace id, 32 hexadecimal digits, of a well-formed `traceparent`. */
export function traceIdOf(traceparent: string): string {
  return traceparent.slice('00-'.length, '00-'.length + 32);
}
