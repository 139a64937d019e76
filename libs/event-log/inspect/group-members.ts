import { AssignerProtocol } from '../kafkajs.ts';
import type { LogAdmin } from './log-admin.ts';

/** Who of a consumer group has which partition of a topic. */
export type MemberByPartition = ReadonlyMap<number, string>;

/** Rejects when the brokers do not answer. A partition that nobody has is left out. */
export function readGroupMembers(
  admin: LogAdmin,
  groupId: string,
  topic: string,
): Promise<MemberByPartition> {
  return admin.ask(async (kafkaAdmin) => {
    const { groups } = await kafkaAdmin.describeGroups([groupId]);
    const members = groups.flatMap((group) => group.members);
    return new Map(
      members.flatMap(({ memberId, clientHost, memberAssignment }) =>
        partitionsOf(memberAssignment, topic).map(
          (partition) => [partition, nameOf(memberId, clientHost)] as const,
        ),
      ),
    );
  });
}

/** One that has only just joined has none yet. */
function partitionsOf(assignment: Buffer, topic: string): number[] {
  const decoded =
    assignment.length === 0 ? null : AssignerProtocol.MemberAssignment.decode(assignment);
  return decoded?.assignment[topic] ?? [];
}

/** The id is the client's name and a long random part, of which the end tells members apart. */
function nameOf(memberId: string, clientHost: string): string {
  const [, client = memberId, random = ''] =
    /^(.*)-[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{6}([\da-f]{6})$/.exec(memberId) ?? [];
  const name = random === '' ? client : `${client}-${random}`;
  return `${name}@${clientHost.replace(/^\//, '')}`;
}
