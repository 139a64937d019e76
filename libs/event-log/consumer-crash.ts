/**
 * True for the one crash of a consumer that passes by itself although kafkajs calls it final: no
 * broker knows the coordinator of the group, as when the brokers have only just started.
 */
export function isPassingCrash(error: unknown): boolean {
  const { name, cause } = error as { name?: string; cause?: unknown };
  return (
    name === 'KafkaJSGroupCoordinatorNotFound' ||
    (cause !== undefined && cause !== null && cause !== error && isPassingCrash(cause))
  );
}
