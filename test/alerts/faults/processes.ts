import type { AppKind } from '../../../infra/local/processes/apps.ts';
import type { Fault } from '../fault.ts';
import { expected } from '../fault.ts';

function killed(kind: AppKind): Fault {
  return {
    what: `the ${kind} is killed (SIGKILL)`,
    expects: [expected('ProcessDown', 'critical', 4, { job: kind })],
    inject: async ({ stack }) => {
      const app = stack.app(kind);
      await app.kill();
      return () => app.start();
    },
  };
}

export const processFaults: Fault[] = [
  killed('issuer'),
  {
    what: 'the issuer is stopped (SIGTERM)',
    expects: [expected('ProcessDown', 'critical', 4, { job: 'issuer' })],
    inject: async ({ stack }) => {
      const app = stack.app('issuer');
      await app.stop();
      return () => app.start();
    },
  },
  {
    what: 'the keeper stands still (SIGSTOP)',
    expects: [expected('ProcessDown', 'critical', 4, { job: 'keeper' })],
    inject: async ({ stack }) => {
      const app = stack.app('keeper');
      await app.freeze();
      return async () => app.signal('SIGCONT');
    },
  },
  killed('api'),
];
