import type { Program } from './install.ts';
import type { Ports } from './ports.ts';
import type { Report } from '../terminal/progress.ts';

/** Where one server of an instance runs and keeps its things. */
export interface Place {
  dataDir: string;
  runDir: string;
  logFile: string;
  ports: Ports;
  port: number;
}

/** How to start a server: everything it needs is on the command line or in files written before. */
export interface Launch {
  command: string;
  args: string[];
  /** The program and its version, for people. */
  source: string;
}

export interface Pong {
  latencyMs: number;
  /** Something only the server that we started can answer: see `identity`. */
  identity: string;
}

/** What differs between Redis, Kafka and MySQL. */
export interface ServerKind {
  /** The environment variable that tells where such a server is. */
  urlVariable: string;
  /** Settings that go with a server of one node, unless the environment says otherwise. */
  defaults: Record<string, string>;
  programs(): Program[];
  /** Fills an empty data directory; does nothing when there is data. */
  prepare(place: Place, report: Report): Promise<void>;
  launch(place: Place): Promise<Launch>;
  url(port: number): string;
  /** One real request. Throws when the server does not answer within two seconds or so. */
  ping(url: string): Promise<Pong>;
  /**
   * What `Pong.identity` must be for the server of this place: on a port taken by a stranger in
   * the last moment, an answer alone proves nothing.
   */
  identity(place: Place, pid: number): string;
}

/** Milliseconds that `work` takes, with one decimal. */
export async function latencyOf(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return Math.round((performance.now() - startedAt) * 10) / 10;
}
