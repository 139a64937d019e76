import { NestFactory } from '@nestjs/core';
import { toNestLogger } from '#platform/logging.ts';
import { runProcess } from '#platform/run-process.ts';
import { KeeperModule } from './keeper.module.ts';
import { KeeperParts } from './keeper-parts.ts';

await runProcess('firstcome-keeper', async (context) => {
  const parts = new KeeperParts(context);
  parts.ledgerConnection.start();
  parts.publisher.start();
  parts.loops.forEach((loop) => loop.start());

  const app = await NestFactory.createApplicationContext(KeeperModule.register(parts), {
    logger: toNestLogger(context.logger),
    abortOnError: false,
  });

  return {
    probes: parts.probes,
    close: async () => {
      await Promise.all([app.close(), ...parts.loops.map((loop) => loop.stop())]);
      await parts.publisher.close();
      await parts.admin.close();
      await parts.auditor.close();
      parts.gateConnection.close();
      await parts.ledgerConnection.close();
    },
  };
});
