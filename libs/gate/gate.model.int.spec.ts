import * as fc from 'fast-check';
import { afterAll, beforeAll, test } from 'vitest';
import {
  gateCommands,
  gateCommandsWithMeddling,
} from '../../test/harness/gate-model/gate-commands.ts';
import { RealGate } from '../../test/harness/gate-model/real-gate.ts';
import { TestGate } from '../../test/harness/stores/test-gate.ts';

/* The model is that of `test/model/gate`, which the model of the protocol steps through, too. */

const here = new TestGate();

beforeAll(() => here.start());
afterAll(() => here.close());

/** A failure prints its seed, the path to it and the shortest list of steps that leads there. */
async function expectAgreement(commands: typeof gateCommands): Promise<void> {
  const interleavings = fc.commands(commands, { maxCommands: 60, size: 'max' });
  await fc.assert(
    fc.asyncProperty(interleavings, async (steps) => {
      const setup = async (): Promise<{ model: RealGate; real: RealGate }> => {
        const { id, total } = await here.openCoupon({ total: 5 });
        const history = await here.raw.hmget(here.keys(id).meta, 'run_id', 'replid');
        const gate = new RealGate(here, id, history.join(':'), total);
        return { model: gate, real: gate };
      };
      await fc.asyncModelRun(setup, steps);
    }),
    { numRuns: 120, interruptAfterTimeLimit: 20_000, markInterruptAsFailure: false },
  );
}

test('in any interleaving of clients, managers and recoveries the gate does what its model does', async () => {
  await expectAgreement(gateCommands);
}, 60_000);

test('the gate does what its model does also when keys and fields are lost or put back behind its back', async () => {
  await expectAgreement(gateCommandsWithMeddling);
}, 60_000);
