import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

const beforeUs = new Set(Object.keys(require.cache));

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
      if (beforeUs.has(require.resolve(name))) {
        throw new Error(`${name} was loaded before it was replaced: import kafkajs by kafkajs.ts`);
      }
      require.cache[require.resolve(name)]!.exports = given;
    },
  };
}
