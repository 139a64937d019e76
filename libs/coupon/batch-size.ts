/**
 * Most requests, holders or ids that a gate script, a transaction of the issuer or a look of an audit
 * takes at once. Lua's `unpack` fails near 9 000 values, and a longer batch holds up all others: Redis
 * serves nobody else for about 1 ms as it is. The issuer decides 82 000 rows/s in batches of 500 with
 * one consumer, 52 000 in batches of 100; 1 000 gave 100 000 and held locks longer.
 */
export const batchSizeMax = 500;
