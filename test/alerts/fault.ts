import type { AlertStack } from './alert-stack.ts';

/** An alert that a fault must bring to the receiver. */
export interface Expected {
  alert: string;
  severity: 'warning' | 'critical';
  /** What more it must say, such as which store it is about. */
  labels?: Record<string, string>;
  /** How long what it tells of must last before it may tell: of its rate, its `for` and its threshold. */
  windowSeconds: number;
}

/** Something that is broken for real, and mended again. */
export interface Fault {
  /** In words, for the report. */
  what: string;
  expects: Expected[];
  /** Why it cannot be made on this machine, in words; `undefined` when it can. */
  problem?(): string | undefined;
  /** What it needs before; no part of its time. */
  prepare?(stack: AlertStack): Promise<void>;
  /** Breaks it; resolves with what mends it. */
  inject(stack: AlertStack): Promise<() => Promise<void>>;
}

export function expected(
  alert: string,
  severity: Expected['severity'],
  windowSeconds: number,
  labels: Record<string, string> = {},
): Expected {
  return { alert, severity, windowSeconds, labels };
}
