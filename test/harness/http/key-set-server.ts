import { once } from 'node:events';
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Signer } from '#identity/signer.fixture.ts';

/** Serves the public keys of whoever signs just now, as the issuer of tokens does. */
export class KeySetServer {
  /** How often it was asked. */
  asked = 0;
  private server: Server | undefined;
  private port = 0;

  constructor(public signers: Signer[]) {}

  get url(): string {
    return `http://127.0.0.1:${this.port}/jwks.json`;
  }

  /** On the same port as before, where it was started before. */
  async start(): Promise<void> {
    this.server = createServer((_request, response) => {
      this.asked += 1;
      const keys = this.signers.map(({ publicKey }) => publicKey);
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ keys }));
    });
    this.server.listen(this.port, '127.0.0.1');
    await once(this.server, 'listening');
    this.port = (this.server.address() as AddressInfo).port;
  }

  stop(): void {
    this.server?.close();
    this.server?.closeAllConnections();
  }
}
