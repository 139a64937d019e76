import { userIdLengthMax } from '#coupon/issuance.ts';

/** What the documents show, for someone to try: coupon 123 is there after `npm start`. */
export const couponIdExample = 123;
export const userIdExample = 'me';
export const requestIdExample = '5b0f6f0e-2d7c-4b8e-9c55-6a1d6c0b7f21-42';
export const issuanceIdExample = '01a2027b-d680-7c3a-9d1e-0d5c2b9f4a11';

/** What a schema that checks by code cannot tell OpenAPI. */
export const userIdMeta = { minLength: 1, maxLength: userIdLengthMax, example: userIdExample };
