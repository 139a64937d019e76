import type { Check, CheckResult } from '#platform/checks/check.ts';
import { messageOf } from '#platform/text/error-message.ts';
import type { Kafka } from 'kafkajs';
import { LogAdmin } from '../inspect/log-admin.ts';
import type { TopicConfig } from '../topic-demands.ts';
import { topicNames } from '../topics.ts';
import { checkBrokers } from './broker-checks.ts';
import { judgeTopics } from './topic-checks.ts';
import { readTopics } from './topic-facts.ts';

const answerTimeoutMs = 10_000;

/**
 * Everything that firstcome looks at in Kafka. Who may not look at something is told which right is missing.
 * `highestPartition` is the last one that a coupon is on; without an answer it is left out.
 */
export function kafkaChecks(
  kafka: Kafka,
  config: TopicConfig,
  highestPartition: () => Promise<number | undefined> = () => Promise.resolve(undefined),
): Check {
  const names = Object.values(topicNames(config.KAFKA_TOPIC_PREFIX));
  return async () => {
    // Its own, since a question that fails ends the connection; and one after another, for the same reason.
    const admin = new LogAdmin(kafka, answerTimeoutMs);
    try {
      const topics = await orAway('kafka.topics', 'DescribeConfigs on the topics', () =>
        admin.ask(async (asked) => {
          const found = await readTopics(asked, names);
          return judgeTopics(found, config, await highestPartition().catch(() => undefined));
        }),
      );
      const brokers = await orAway('kafka.brokers', 'DescribeConfigs on the cluster', () =>
        admin.ask((asked) => checkBrokers(asked, config)),
      );
      return [...topics, ...brokers];
    } finally {
      await admin.close();
    }
  };
}

async function orAway(
  name: string,
  right: string,
  ask: () => Promise<CheckResult[]>,
): Promise<CheckResult[]> {
  try {
    return await ask();
  } catch (error) {
    return [
      {
        name,
        verdict: 'away',
        message: `cannot be asked: ${messageOf(error)}`,
        remedy: `start Kafka; where it refuses, the right that is needed is ${right}`,
      },
    ];
  }
}
