import { innerModule } from './replace-module.ts';

/** What we use of classes inside kafkajs 2.2.4. */
interface ConsumerGroup {
  /** Milliseconds since 1970: when it gave its last sign of life. */
  lastRequest: number;
  heartbeat(options: { interval: number }): Promise<void>;
}
interface BrokerPool {
  /** Milliseconds since 1970; null for at once. */
  metadataExpireAt: number | null;
  metadataMaxAge: number;
  refreshMetadataIfNecessary(topics: string[]): Promise<void>;
}

const group = innerModule<{ prototype: ConsumerGroup }>('consumer/consumerGroup').exports.prototype;
const pool = innerModule<{ prototype: BrokerPool }>('cluster/brokerPool').exports.prototype;
// oxlint-disable-next-line typescript/unbound-method -- called below with the `this` it needs
const { heartbeat } = group;
// oxlint-disable-next-line typescript/unbound-method -- the same
const { refreshMetadataIfNecessary } = pool;

/**
 * kafkajs goes by the clock of the machine, which may be set back. Until it has caught up, a consumer gives
 * no sign of life, is taken for dead, joins again and is taken for dead again, and nobody asks who leads a
 * partition. What lies in the future was written before the clock was set, and counts as long ago.
 */
group.heartbeat = function (this: ConsumerGroup, options): Promise<void> {
  if (this.lastRequest > Date.now()) {
    this.lastRequest = 0;
  }
  return heartbeat.call(this, options);
};

pool.refreshMetadataIfNecessary = function (this: BrokerPool, topics): Promise<void> {
  if ((this.metadataExpireAt ?? 0) > Date.now() + this.metadataMaxAge) {
    this.metadataExpireAt = null;
  }
  return refreshMetadataIfNecessary.call(this, topics);
};
