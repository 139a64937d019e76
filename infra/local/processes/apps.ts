import { choosePort } from '../servers/ports.ts';

const kinds = ['api', 'issuer', 'keeper'] as const;
export type AppKind = (typeof kinds)[number];
export type AppCounts = Record<AppKind, number>;

/** One process of ours, ready to be started. */
export interface AppProcess {
  name: string;
  kind: AppKind;
  env: Record<string, string>;
  /** Where /health and /metrics are. */
  internalPort: number;
  /** Of an api: where the public API is. */
  publicPort?: number;
  /** Where a debugger attaches, if one may. */
  debuggerPort?: number;
}

const preferredInternalPorts: Record<AppKind, number> = { api: 9464, issuer: 9474, keeper: 9484 };
const preferredApiPort = 8080;
const preferredDebuggerPort = 9229;

/**
 * Names the processes and gives each its ports: the preferred ones, or the next free ones. Several
 * apis share one public port where the system spreads connections over them (Linux); elsewhere
 * each has its own. A public port that is taken is told to `say`. With `debuggers` each process has
 * a port for one.
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
  for (const kind of kinds) {
    for (let number = 1; number <= counts[kind]; number += 1) {
      const internalPort = await choosePort(preferredInternalPorts[kind], taken);
      const app: AppProcess = {
        name: counts[kind] === 1 ? kind : `${kind}-${number}`,
        kind,
        env: { INTERNAL_PORT: String(internalPort) },
        internalPort,
      };
      if (debuggers) app.debuggerPort = await choosePort(preferredDebuggerPort, taken);
      if (kind === 'api') {
        if (apiPort === undefined || !sharePort) {
          apiPort = await choosePort(apiPort === undefined ? wantedApiPort : apiPort + 1, taken);
        }
        app.publicPort = apiPort;
        app.env['API_PORT'] = String(apiPort);
        app.env['API_REUSE_PORT'] = String(sharePort);
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
