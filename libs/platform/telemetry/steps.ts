import {
  databaseAttributes as db,
  messagingAttributes as messaging,
} from './messaging-conventions.ts';
import type { Step } from './tracing.ts';

/** Records that are appended to the log together. */
export function sendStep(topic: string): Step {
  return messagingStep('send', 'PRODUCER', topic);
}

/** Records of one partition that are worked on together, from reading them to the last effect. */
export function processStep(topic: string, partition: number): Step {
  const step = messagingStep('process', 'CONSUMER', topic);
  const attributes = { ...step.attributes, [messaging.partition]: String(partition) };
  return { ...step, attributes };
}

/** One script, or one command, for several requests. */
export function redisStep(name: string): Step {
  return storeStep(name, 'redis', name);
}

/** One transaction for several requests. */
export function transactionStep(name: string): Step {
  return storeStep('transaction', 'mysql', name);
}

function messagingStep(operation: 'send' | 'process', kind: Step['kind'], topic: string): Step {
  return {
    name: `${operation} ${topic}`,
    kind,
    attributes: {
      [messaging.system]: 'kafka',
      [messaging.operationName]: operation,
      [messaging.operationType]: operation,
      [messaging.destinationName]: topic,
    },
    batchSize: { attribute: messaging.batchCount, links: true },
  };
}

function storeStep(name: string, system: string, operation: string): Step {
  return {
    name,
    kind: 'CLIENT',
    attributes: { [db.system]: system, [db.operationName]: operation },
    batchSize: { attribute: db.batchSize, links: false },
  };
}
