import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

const beforeUs = new Set(Object.keys(require.cache));

/**
 * What was replaced in this process: vitest evaluates a setup file once for each project, and all of
 * them share one kafkajs.
 */
const replacedKey = Symbol.for('firstcome.kafkajs.replaced');
const replaced = ((globalThis as Record<symbol, unknown>)[replacedKey] ??=
  new Set()) as Set<string>;

/**
 * What an inner module of kafkajs exports, and a way to put something else in its place; it throws
 * where that would come too late, as those who have required it before keep what they have. kafkajs is
 * pinned to the version this is written for.
 */
export function innerModule<Exports>(path: string): {
  exports: Exports;
  replace(exports: Exports): void;
} {
  const name = `kafkajs/src/${path}`;
  const exports = require(name) as Exports;
  return {
    exports,
    replace: (given) => {
      const file = require.resolve(name);
      if (replaced.has(file)) {
        return;
      }
      if (beforeUs.has(file)) {
        throw new Error(`${name} was loaded before it was replaced: import kafkajs by kafkajs.ts`);
      }
      require.cache[file]!.exports = given;
      replaced.add(file);
    },
  };
}
