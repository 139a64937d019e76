import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { kafkaKind, newClusterId } from '../../../infra/local/servers/kafka.ts';
import { SpareServer } from './spare-server.ts';

const size = 3;
/** Three of them beside everything else. */
const heap = ['-Xms64m', '-Xmx256m'];

/** A node as the others know it: the first is 1. */
export interface ClusterNode {
  id: number;
  server: SpareServer;
}

/** Three brokers, each its own controller, that one test file has to itself: as production has them. */
export class SpareCluster {
  private constructor(readonly nodes: readonly ClusterNode[]) {}

  /** Not started yet. */
  static async create(): Promise<SpareCluster> {
    const nodes: ClusterNode[] = [];
    const clusterId = newClusterId();
    for (let id = 1; id <= size; id += 1) {
      const settings = (): Record<string, string | number> => ({
        'node.id': id,
        'controller.quorum.voters': nodes
          .map((node) => `${node.id}@127.0.0.1:${node.server.controllerPort}`)
          .join(','),
        'offsets.topic.replication.factor': size,
        'min.insync.replicas': size - 1,
        'default.replication.factor': size,
      });
      const server = await SpareServer.create(kafkaKind({ clusterId, settings, heap }));
      nodes.push({ id, server });
    }
    return new SpareCluster(nodes);
  }

  /** For KAFKA_BROKERS. */
  get brokers(): string {
    return this.nodes.map(({ server }) => `127.0.0.1:${server.port}`).join(',');
  }

  /** Starts those that do not run; returns once all answer. */
  async start(): Promise<void> {
    await Promise.all(this.nodes.map(({ server }) => server.start()));
  }

  node(id: number): ClusterNode {
    return this.nodes[id - 1]!;
  }

  /** Which node leads the controllers, as far as the nodes have written down. */
  controller(): ClusterNode {
    const states = this.nodes.map(({ server }) => quorumState(server.dataDir));
    const latest = states.reduce((a, b) => (a.leaderEpoch < b.leaderEpoch ? b : a));
    return this.node(latest.leaderId);
  }

  /** Takes everything from a node that does not run, as a new disk would. */
  wipe({ server }: ClusterNode): void {
    rmSync(server.dataDir, { recursive: true });
  }

  async remove(): Promise<void> {
    await Promise.all(this.nodes.map(({ server }) => server.remove()));
  }
}

function quorumState(dataDir: string): { leaderId: number; leaderEpoch: number } {
  const file = join(dataDir, '__cluster_metadata-0', 'quorum-state');
  return JSON.parse(readFileSync(file, 'utf8')) as { leaderId: number; leaderEpoch: number };
}
