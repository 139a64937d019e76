import { defineConfig } from 'vitest/config';
import swc from 'unplugin-swc';

export const shared = {
  plugins: [swc.vite({ module: { type: 'es6' } })],
};

/** Loading the libraries anew for every file would take half of the CPU. */
const inOneProcess = { isolate: false };

/** What they say depends on which modules their process has loaded before. */
const isolated = ['libs/event-log/kafkajs-mends/{mends-again,replace-module}.spec.ts'];

/**
 * A poll that ends as soon as its condition holds may be patient: on a machine with busy neighbours
 * one second is too short.
 */
const patient = { expect: { poll: { timeout: 15_000 } } };

/** How fast something is, is no matter of tests: neighbours make it ten times slower. */
const unhurried = { testTimeout: 60_000 };

export const onRealServers = {
  ...patient,
  globalSetup: ['test/harness/servers/servers.setup.ts'],
  ...unhurried,
  hookTimeout: 120_000,
};

/** For specs that stop a server, or need the machine to themselves. */
const oneAtATime = { ...onRealServers, fileParallelism: false };

/** Fault specs that stop a server which others use as well, or measure how fast something is. */
const faultsAlone = [
  'libs/event-log/publish/broker.faults.spec.ts',
  'test/model/search/random-schedules.faults.spec.ts',
  ...[
    'chaos',
    'clock-off',
    'dead-letter-commands',
    'dead-letters',
    'failures-of-others-stores',
    'issuers-share',
    'ledger-away',
    'log-away',
    'overload',
    'recovery-bulk',
    'start-order',
  ].map((name) => `test/faults/${name}.faults.spec.ts`),
];

/** What waits by itself adds up: servers that start, an issuer that is taken for dead. */
const longWaits = { testTimeout: 240_000, hookTimeout: 240_000 };

export default defineConfig({
  test: {
    projects: [
      {
        ...shared,
        test: {
          name: 'unit',
          include: ['{apps,libs,infra,k6,bench,test}/**/*.spec.ts'],
          exclude: [
            '**/*.{int,e2e,outage,faults,last}.spec.ts',
            'test/model/!(smoke).spec.ts',
            ...isolated,
          ],
          maxWorkers: 2,
          ...inOneProcess,
          ...unhurried,
        },
      },
      {
        ...shared,
        test: { name: 'unit-isolated', include: isolated, ...unhurried },
      },
      {
        ...shared,
        test: {
          name: 'model',
          include: ['test/model/**/*.spec.ts'],
          exclude: ['test/model/smoke.spec.ts', '**/*.faults.spec.ts'],
        },
      },
      {
        ...shared,
        test: {
          name: 'integration',
          include: ['{apps,libs,infra}/**/*.int.spec.ts'],
          // They mostly wait for a store.
          maxWorkers: 4,
          ...inOneProcess,
          sequence: { groupOrder: 0 },
          ...onRealServers,
        },
      },
      {
        ...shared,
        test: {
          name: 'e2e',
          include: ['test/**/*.e2e.spec.ts'],
          // They wait for processes to come up, and for time limits to pass.
          maxWorkers: 3,
          ...inOneProcess,
          sequence: { groupOrder: 1 },
          ...onRealServers,
        },
      },
      {
        ...shared,
        test: {
          name: 'outage',
          include: ['{apps,libs,test}/**/*.outage.spec.ts'],
          sequence: { groupOrder: 2 },
          ...oneAtATime,
          ...longWaits,
        },
      },
      {
        ...shared,
        test: {
          name: 'faults',
          include: ['{apps,libs,test}/**/*.faults.spec.ts'],
          exclude: faultsAlone,
          // They mostly wait: for a process that is gone to be missed, and for one that comes back.
          maxWorkers: 2,
          sequence: { groupOrder: 3 },
          ...onRealServers,
          ...longWaits,
        },
      },
      {
        ...shared,
        test: {
          name: 'faults-alone',
          include: faultsAlone,
          sequence: { groupOrder: 4 },
          ...oneAtATime,
          ...longWaits,
        },
      },
      {
        ...shared,
        test: {
          // They look at what the tests before them have had the system do.
          name: 'last',
          include: ['test/**/*.last.spec.ts'],
          sequence: { groupOrder: 5 },
          ...onRealServers,
        },
      },
    ],
  },
});
