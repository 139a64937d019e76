import { NestFactory } from '@nestjs/core';
import { toNestLogger } from '#platform/logging.ts';
import { runProcess } from '#platform/run-process.ts';
import { IssuerModule, IssuerParts } from './issuer.module.ts';

await runProcess('firstcome-issuer', async (context) => {
  const parts = new IssuerParts(context);
  parts.ledgerConnection.start();
  parts.publisher.start();

  const app = await NestFactory.createMicroservice(IssuerModule.register(parts), {
    strategy: parts.transport,
    logger: toNestLogger(context.logger),
    abortOnError: false,
  });
  await app.listen();

  return {
    probes: parts.probes,
    close: async () => {
      // The transport first: the chunk in hand still needs all three stores.
      await app.close();
      await parts.publisher.close();
      parts.gateConnection.close();
      await parts.ledgerConnection.close();
    },
  };
});
