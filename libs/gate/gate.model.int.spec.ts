import * as fc from 'fast-check';
import { afterAll, beforeAll, test } from 'vitest';
import { gateCommands } from '../../test/harness/gate-commands.ts';
import { GateModel } from '../../test/harness/gate-model.ts';
import { TestGate } from '../../test/harness/test-gate.ts';

const here = new TestGate();

beforeAll(() => here.start());
afterAll(() => here.close());

/** A failure prints its seed, the path to it and the shortest list of steps that leads there. */
test('in any interleaving of clients, managers and recoveries the gate does what its model does', async () => {
  const interleavings = fc.commands(gateCommands, { maxCommands: 60, size: 'max' });
  await fc.assert(
    fc.asyncProperty(interleavings, async (commands) => {
      const setup = async (): Promise<{ model: GateModel; real: TestGate }> => {
        const { id, total } = await here.openCoupon({ total: 5 });
        return { model: new GateModel(id, total), real: here };
      };
      await fc.asyncModelRun(setup, commands);
    }),
    { numRuns: 120, interruptAfterTimeLimit: 20_000, markInterruptAsFailure: false },
  );
}, 60_000);
