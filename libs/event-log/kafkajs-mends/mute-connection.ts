import type { Socket } from 'node:net';
import { innerModule } from './replace-module.ts';

/** What we use of a class inside kafkajs 2.2.4: a connection to one broker. */
interface Connection {
  socket?: Socket;
  send(request: object): Promise<unknown>;
}

const { prototype } = innerModule<{ prototype: Connection }>('network/connection').exports;
// oxlint-disable-next-line typescript/unbound-method -- called below with the `this` it needs
const send = prototype.send;

/**
 * kafkajs keeps a connection whose requests all time out. Where the broker's machine is gone without a
 * word, a consumer asked five times in vain, crashed, and said good-bye in vain, before it connected
 * anew: more than a minute. As in Kafka's own client, a connection that owes an answer for too long
 * is given up, and the next request makes a new one.
 */
prototype.send = async function (this: Connection, request): Promise<unknown> {
  const { socket } = this;
  try {
    return await send.call(this, request);
  } catch (error) {
    if ((error as Error).name === 'KafkaJSRequestTimeoutError') {
      socket?.destroy(new Error('no answer in time'));
    }
    throw error;
  }
};
