/**
 * Names of OpenTelemetry's semantic conventions for messaging, which are still "development": when one
 * changes there, it changes here. https://opentelemetry.io/docs/specs/semconv/messaging/
 */

/** Metrics, as Prometheus names them: the exporter adds no unit. */
export const messagingMetrics = {
  clientOperationDuration: 'messaging_client_operation_duration_seconds',
  clientSentMessages: 'messaging_client_sent_messages_total',
  processDuration: 'messaging_process_duration_seconds',
} as const;

/** Labels of those metrics. */
export const messagingLabels = {
  system: 'messaging_system',
  operationName: 'messaging_operation_name',
  destinationName: 'messaging_destination_name',
  errorType: 'error_type',
} as const;

/** Attributes of spans. */
export const messagingAttributes = {
  system: 'messaging.system',
  operationName: 'messaging.operation.name',
  operationType: 'messaging.operation.type',
  destinationName: 'messaging.destination.name',
  partition: 'messaging.destination.partition.id',
  batchCount: 'messaging.batch.message_count',
} as const;

/** Attributes of spans of Redis and MySQL. */
export const databaseAttributes = {
  system: 'db.system.name',
  operationName: 'db.operation.name',
  batchSize: 'db.operation.batch.size',
} as const;
