import {
  databaseAttributes as db,
  messagingAttributes as messaging,
} from './messaging-conventions.ts';
import type { Step } from './tracing.ts';

/** Records that are appended to the log together; of one partition where it is given. */
export function sendStep(topic: string, partition?: number): Step {
  return messagingStep('send', 'PRODUCER', topic, partition);
}

/** Records of one partition that are worked on together, from reading them to the last effect. */
export function processStep(topic: string, partition: number, group: string): Step {
  const step = messagingStep('process', 'CONSUMER', topic, partition);
  return { ...step, attributes: { ...step.attributes, [messaging.consumerGroup]: group } };
}

/** One Lua script for several requests. */
export function scriptStep(script: string): Step {
  const step = databaseStep('redis', script, 'EVALSHA');
  return { ...step, attributes: { ...step.attributes, [db.script]: script } };
}

/** Commands of Redis in one MULTI, or in several at once, for several requests. */
export function multiStep(name: string): Step {
  return databaseStep('redis', name, 'MULTI');
}

/** One transaction for several requests. */
export function transactionStep(operation: string): Step {
  return databaseStep('mysql', 'transaction', operation);
}

function messagingStep(
  operation: 'send' | 'process',
  kind: Step['kind'],
  topic: string,
  partition: number | undefined,
): Step {
  return {
    name: `${operation} ${topic}`,
    kind,
    store: 'kafka',
    attributes: {
      [messaging.system]: 'kafka',
      [messaging.operationName]: operation,
      [messaging.operationType]: operation,
      [messaging.destinationName]: topic,
      ...(partition !== undefined && { [messaging.partition]: String(partition) }),
    },
  };
}

function databaseStep(store: 'redis' | 'mysql', name: string, operation: string): Step {
  return {
    name,
    kind: 'CLIENT',
    store,
    attributes: { [db.system]: store, [db.operationName]: operation },
  };
}
