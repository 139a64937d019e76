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
  consumerGroup: 'messaging.consumer.group.name',
  /** Of a span about a single record. */
  key: 'messaging.kafka.message.key',
  /** Of a span about several records. */
  batchCount: 'messaging.batch.message_count',
} as const;

/** Attributes of spans of Redis and MySQL. */
export const databaseAttributes = {
  system: 'db.system.name',
  namespace: 'db.namespace',
  operationName: 'db.operation.name',
  script: 'db.stored_procedure.name',
  responseStatus: 'db.response.status_code',
} as const;

/** Attributes of spans of any store. */
export const serverAttributes = { address: 'server.address', port: 'server.port' } as const;
