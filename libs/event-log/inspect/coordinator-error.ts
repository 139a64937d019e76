/** A broker answers, and will answer otherwise soon. */
const passingTypes = new Set([
  'GROUP_LOAD_IN_PROGRESS',
  'GROUP_COORDINATOR_NOT_AVAILABLE',
  'NOT_COORDINATOR_FOR_GROUP',
]);

/**
 * True when a group has no coordinator that knows its offsets yet, as when the brokers have only just
 * started. That passes by itself, although kafkajs calls one form of it final and asks once only
 * where the other comes from.
 */
export function isCoordinatorAway(error: unknown): boolean {
  const { name, type, cause } = error as { name?: string; type?: string; cause?: unknown };
  return (
    name === 'KafkaJSGroupCoordinatorNotFound' ||
    passingTypes.has(type ?? '') ||
    (cause !== undefined && cause !== null && cause !== error && isCoordinatorAway(cause))
  );
}
