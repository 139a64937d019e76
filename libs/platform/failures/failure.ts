/**
 * Why something that was asked could not be done, each with its words. The names are labels of a
 * metric: the set is closed, and nothing of a request belongs into it.
 */
export const failureCauses = {
  gate_shut: 'the gate of the coupon is shut',
  gate_fenced: 'a recovery shut the gate before the request was confirmed',
  gate_lane: 'no trip to the gate was free in time (ASSIGN_WAIT_MAX_MS)',
  redis_away: 'Redis cannot be reached',
  redis_timeout: 'Redis did not answer in time (GATE_TIMEOUT_MS)',
  redis_refuses_writes: 'Redis answers, and refuses to work',
  log_lane: 'no trip to the log was free in time (ASSIGN_WAIT_MAX_MS)',
  log_away: 'Kafka cannot be reached',
  log_timeout: 'Kafka did not confirm in time (PUBLISH_TIMEOUT_MS)',
  log_refuses: 'Kafka refuses what is written',
  ledger_lane: 'more questions than MySQL is asked at once',
  ledger_away: 'MySQL cannot be reached, or takes no writes',
  ledger_refuses: 'MySQL answers, and refuses to work',
  catalogue_unread: 'the list of coupons was never read from MySQL',
  key_set_unread: 'the key set that tokens are checked with was never read',
  api_keys_unread: 'the API keys were not read from MySQL for AUTH_KEYS_KEEP_S',
  assigns_in_flight: 'more assigns at once than ASSIGN_IN_FLIGHT_MAX',
  assign_shed: 'more assigns than are answered in time',
  redemption_shed: 'more redemptions than are answered in time',
  read_shed: 'more reads than are answered in time',
  document_shed: 'more documents asked for than are sent at once',
  unexpected: 'something that is not foreseen; the error says more',
} as const;

export type FailureCause = keyof typeof failureCauses;

/** One failure: `error` is what was caught, where something was. */
export interface Failure {
  cause: FailureCause;
  error?: unknown;
}

/**
 * What failed: the code of an answer, or `HINT_LOST`: the state of issuances that MySQL has to be
 * asked for, since Redis was not told or not heard; or `LIMITED_APART`: requests that Redis does not
 * count, so that each api has its limits for itself.
 */
export const failureCodes = [
  'RECOVERING',
  'UNCONFIRMED',
  'UNAVAILABLE',
  'OVERLOADED',
  'HINT_LOST',
  'LIMITED_APART',
] as const;

export type FailureCode = (typeof failureCodes)[number];
