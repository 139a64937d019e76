import type { RedisState } from '#gate/redis-state.ts';
import type { Look, Told } from './look/look.ts';

/** One store, as it tells of itself. */
export interface StoreStatus {
  store: 'gate-redis' | 'kafka' | 'mysql' | 'jobs-redis';
  isAway: boolean;
  /** `primary`, `replica`, or how many brokers; null while it is away. */
  role: string | null;
  usedBytes: number | null;
  limitBytes: number | null;
  /** What else there is to say; why it is away. */
  says: string;
}

/** As everybody else here calls what Redis calls otherwise. */
const roles: Readonly<Record<string, string>> = { master: 'primary', slave: 'replica' };

/** Those that are away come first. */
export function storeStatuses({ gate, log, ledger, jobs }: Look): StoreStatus[] {
  const stores = [
    redis(
      'gate-redis',
      gate.value === undefined ? gate : { value: gate.value.figures },
      gate.value?.refusal,
    ),
    kafka(log),
    mysql(ledger),
    redis('jobs-redis', jobs),
  ];
  return stores.toSorted((a, b) => Number(b.isAway) - Number(a.isAway));
}

function away(store: StoreStatus['store'], problem: string): StoreStatus {
  return { store, isAway: true, role: null, usedBytes: null, limitBytes: null, says: problem };
}

function redis(
  store: StoreStatus['store'],
  { value, problem }: Told<RedisState>,
  refusal?: string,
): StoreStatus {
  if (value === undefined) {
    return away(store, problem);
  }
  const { role, usedBytes, limitBytes, version } = value;
  return {
    store,
    isAway: false,
    role: roles[role] ?? role,
    usedBytes,
    limitBytes,
    says: refusal ?? `version ${version}`,
  };
}

function kafka({ value, problem }: Look['log']): StoreStatus {
  if (value === undefined) {
    return away('kafka', problem);
  }
  const { brokers, leaderless, underReplicated } = value.figures;
  const says = [
    ...(leaderless === 0 ? [] : [`${leaderless} partitions without a leader`]),
    ...(underReplicated === 0 ? [] : [`${underReplicated} partitions with a copy that is behind`]),
  ].join(', ');
  const role = `${brokers} ${brokers === 1 ? 'broker' : 'brokers'}`;
  const memory = { usedBytes: null, limitBytes: null };
  return { store: 'kafka', isAway: false, role, ...memory, says: says || 'every partition is led' };
}

function mysql({ value, problem }: Look['ledger']): StoreStatus {
  if (value === undefined) {
    return away('mysql', problem);
  }
  const { version, connections, connectionsMax, bufferPoolBytes } = value.figures;
  return {
    store: 'mysql',
    isAway: false,
    // One that takes no writes is told of as one that is away.
    role: 'primary',
    usedBytes: null,
    limitBytes: bufferPoolBytes,
    says: `version ${version}, ${connections} of ${connectionsMax} connections`,
  };
}
