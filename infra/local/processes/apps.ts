import { choosePort } from '../servers/ports.ts';
import { nodeArguments } from './build.ts';
import type { OwnProcess, ProcessPlan } from './own-process.ts';

export const appKinds = ['api', 'issuer', 'keeper'] as const;
export type AppKind = (typeof appKinds)[number];
export type AppCounts = Record<AppKind, number>;

/** An api, an issuer or a keeper, as built in `dist`. */
export interface AppProcess extends ProcessPlan {
  kind: AppKind;
  /** Where a debugger attaches, if one may. */
  debuggerPort?: number;
}
export type App = OwnProcess<AppProcess>;

/** A process of a kind on ports that were chosen for it. */
export function planApp(
  kind: AppKind,
  name: string,
  internalPort: number,
  publicPort?: number,
): AppProcess {
  const env = { INTERNAL_PORT: String(internalPort) };
  const plan = { kind, name, args: nodeArguments(kind), internalPort };
  return publicPort === undefined
    ? { ...plan, env }
    : { ...plan, publicPort, env: { ...env, API_PORT: String(publicPort) } };
}

const preferredInternalPorts: Record<AppKind, number> = { api: 9464, issuer: 9474, keeper: 9484 };
const preferredApiPort = 8080;
const preferredDebuggerPort = 9229;

/**
 * Names the processes and gives each its ports: the preferred ones, or the next free ones. Several
 * apis share one public port where the system spreads connections over them (Linux); elsewhere
 * each has its own. A port that is taken, and what is used instead, is told to `say`. With `debuggers`
 * each process has a port for one.
 */
export async function planApps(
  counts: AppCounts,
  environment: NodeJS.ProcessEnv,
  say: (text: string) => void,
  debuggers = false,
): Promise<AppProcess[]> {
  const taken = new Set<number>();
  const sharePort = counts.api > 1 && process.platform === 'linux';
  const wantedApiPort = Number(environment['API_PORT'] || preferredApiPort);
  const apps: AppProcess[] = [];
  let apiPort: number | undefined;
  for (const kind of appKinds) {
    for (let number = 1; number <= counts[kind]; number += 1) {
      const name = counts[kind] === 1 ? kind : `${kind}-${number}`;
      const wantedPort = preferredInternalPorts[kind] + number - 1;
      const internalPort = await choosePort(wantedPort, taken);
      if (internalPort !== wantedPort) {
        say(`Port ${wantedPort} is in use: the internal port of ${name} is ${internalPort}.`);
      }
      if (kind === 'api' && (apiPort === undefined || !sharePort)) {
        apiPort = await choosePort(apiPort === undefined ? wantedApiPort : apiPort + 1, taken);
      }
      const app = planApp(kind, name, internalPort, kind === 'api' ? apiPort : undefined);
      app.env['API_REUSE_PORT'] = String(sharePort);
      if (debuggers) {
        app.debuggerPort = await choosePort(preferredDebuggerPort, taken);
        app.args.unshift(...debuggerArguments(app.debuggerPort));
      }
      apps.push(app);
    }
  }
  const [first] = apps;
  if (first?.publicPort !== undefined && first.publicPort !== wantedApiPort) {
    say(`Port ${wantedApiPort} is in use by another program: the API takes ${first.publicPort}.`);
  }
  return apps;
}

function debuggerArguments(port: number): string[] {
  const letGo = new URL('let-debugger-go.ts', import.meta.url).href;
  return [`--inspect=127.0.0.1:${port}`, `--import=${letGo}`];
}
