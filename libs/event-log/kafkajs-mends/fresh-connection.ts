import type { Socket } from 'node:net';
import { innerModule } from './replace-module.ts';

/** What we use of a class inside kafkajs 2.2.4: a connection to one broker, made anew when it breaks. */
interface Connection {
  socket?: Socket;
  /** What has come of a response whose end has not, and how much of it is needed to read on. */
  chunks: Buffer[];
  bytesBuffered: number;
  bytesNeeded: number;
  isConnected(): boolean;
  connect(): Promise<boolean>;
}

const { prototype } = innerModule<{ prototype: Connection }>('network/connection').exports;
// oxlint-disable-next-line typescript/unbound-method -- called below with the `this` it needs
const connect = prototype.connect;
const connecting = new WeakMap<Connection, Promise<boolean>>();
/** Of the size of a response, which is what comes first. */
const sizeBytes = 4;

/**
 * When a connection breaks, kafkajs goes on with what it has read of a response: the beginning of one
 * that was cut off, with the next connection's first bytes behind it, is taken for a response, and
 * from there on nothing is understood. Every request is answered and none of the answers arrives, over
 * this connection and over all that follow it. The old socket is heard as well, if it is not dead, and
 * its end taken for that of the new one. Here a new connection has one socket, and begins with nothing.
 */
prototype.connect = function (this: Connection): Promise<boolean> {
  if (this.isConnected()) {
    return connect.call(this);
  }
  // Two who find it broken at once would make two sockets, of which one is forgotten.
  const begun = connecting.get(this) ?? connectAnew(this).finally(() => connecting.delete(this));
  connecting.set(this, begun);
  return begun;
};

function connectAnew(connection: Connection): Promise<boolean> {
  connection.socket?.removeAllListeners('data').removeAllListeners('end').destroy();
  connection.chunks = [];
  connection.bytesBuffered = 0;
  connection.bytesNeeded = sizeBytes;
  return connect.call(connection);
}
