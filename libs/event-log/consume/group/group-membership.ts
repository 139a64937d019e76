import type { TopicPartition } from 'kafkajs';

/** What this consumer is in its group, as of the last join. */
export class GroupMembership {
  private assignment: Record<string, number[]> | undefined;
  private joins = 0;
  private rebalancing = false;

  /** False until the first join, and after a crash until the next. */
  get joined(): boolean {
    return this.assignment !== undefined;
  }

  get partitionCount(): number {
    return Object.values(this.assignment ?? {}).flat().length;
  }

  partitions(): TopicPartition[] {
    return Object.entries(this.assignment ?? {}).flatMap(([topic, partitions]) =>
      partitions.map((partition) => ({ topic, partition })),
    );
  }

  /** Counts the joins; what was fetched before the last one may belong to someone else. */
  get generation(): number {
    return this.joins;
  }

  /** The group is about to share its partitions anew; this consumer still has its own. */
  get isRebalancing(): boolean {
    return this.rebalancing;
  }

  owns({ topic, partition }: TopicPartition): boolean {
    return this.assignment?.[topic]?.includes(partition) ?? false;
  }

  join(assignment: Record<string, number[]>): void {
    this.assignment = assignment;
    this.joins += 1;
  }

  rebalance(): void {
    this.rebalancing = true;
  }

  /** The rebalance is over, by a new join or without one: it goes on with what it has. */
  fetch(): void {
    this.rebalancing = false;
  }

  leave(): void {
    this.assignment = undefined;
    this.joins += 1;
  }
}
