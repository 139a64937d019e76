import type { ScenarioOptions } from './fault-scenario.ts';
import { FaultScenario } from './fault-scenario.ts';
import { StackLog } from './stack-log.ts';
import { StackStores } from './stack-stores.ts';

/** A scenario with a look, and a hand, in its stores and in its log. */
export class OpenScenario {
  private constructor(
    readonly scenario: FaultScenario,
    readonly stores: StackStores,
    readonly log: StackLog,
  ) {}

  static async start(options: ScenarioOptions): Promise<OpenScenario> {
    const scenario = await FaultScenario.start(options);
    const [stores, log] = await Promise.all([
      StackStores.connect(scenario.stack),
      StackLog.connect(scenario.stack),
    ]);
    return new OpenScenario(scenario, stores, log);
  }

  async stop(): Promise<void> {
    await Promise.all([this.log.close(), this.stores.close()]);
    await this.scenario.stop();
  }
}
