/** What brokers take for a record by default, a little less than 1 MiB. */
export const recordBytesMax = 1_000_000;
