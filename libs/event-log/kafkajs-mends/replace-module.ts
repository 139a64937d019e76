import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/**
 * What an inner module of kafkajs exports, and a way to put something else in its place. Those who
 * have required it before keep what they have. kafkajs is pinned to the version this is written for.
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
      require.cache[require.resolve(name)]!.exports = given;
    },
  };
}
