/** Limits a client can run into; each is in the OpenAPI document or the README. */
export const bodyBytesMax = 16 * 1024;
export const requestTimeoutMs = 10_000;
/** The longest path parameter: a user id of 64 characters, each up to 12 characters as %XX. */
export const pathParameterLengthMax = 1_024;
