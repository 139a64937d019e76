import type { OperationMetrics } from '#platform/telemetry/operation-metrics.ts';

/**
 * The same ledger, which tells how long each question to it took, under the name of what it is for:
 * `issuances.decide_chunk`. What it asks of itself is part of that. Without metrics it is what was given.
 */
export function timed<Ledger extends object>(
  name: string,
  ledger: Ledger,
  metrics: OperationMetrics | undefined,
): Ledger {
  if (metrics === undefined) {
    return ledger;
  }
  return new Proxy(ledger, {
    get: (target, property) => {
      const member: unknown = Reflect.get(target, property, target);
      if (typeof member !== 'function' || property === 'constructor') {
        return member;
      }
      const purpose = `${name}.${inSnakeCase(String(property))}`;
      return (...args: unknown[]) => {
        const startedAt = performance.now();
        const answer: unknown = Reflect.apply(member, target, args);
        if (answer instanceof Promise) {
          answer.then(
            () => metrics.mysql(purpose, startedAt),
            (error: unknown) => metrics.mysql(purpose, startedAt, error),
          );
        }
        return answer;
      };
    },
  });
}

function inSnakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
