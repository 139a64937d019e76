// Which folder may import which. `npm run boundaries` checks it, docs/architecture.md shows it.

/** Of each lib, the libs it stands on; itself and packages are not listed. */
const libs = {
  coupon: [],
  platform: [],
  // Goes to others as a package: what it needs, it has.
  client: [],
  identity: ['coupon', 'platform'],
  gate: ['coupon', 'platform'],
  'event-log': ['coupon', 'platform'],
  ledger: ['coupon', 'platform'],
  stores: ['event-log', 'gate', 'ledger', 'platform'],
  admission: ['coupon', 'event-log', 'gate', 'ledger', 'platform'],
  administration: ['coupon', 'event-log', 'gate', 'ledger', 'platform'],
  audit: ['coupon', 'event-log', 'gate', 'ledger', 'platform'],
};

/** Of each room of libs/event-log, the rooms it stands on; what lies above the rooms, all may use. */
const eventLogRooms = {
  'kafkajs-mends': [],
  compression: ['kafkajs-mends'],
  checks: ['inspect'],
  publish: [],
  inspect: [],
  consume: ['inspect', 'kafkajs-mends'],
};

/** Of each package that talks to a server, the one place of what ships that imports it. */
const clients = {
  kafkajs: 'libs/event-log',
  typeorm: 'libs/ledger',
  mysql2: 'libs/ledger',
  ioredis: 'libs/gate',
  bullmq: 'apps/keeper',
  jose: 'libs/identity',
  // The store of the jobs is opened where all stores are, apart from the others.
  '@nestjs/bullmq': 'apps/keeper|libs/stores/job-store[.]ts',
};

/** Specs and fixtures stand beside what they test, and may use the harness. */
const shipped = { pathNot: '\\.(spec|fixture)\\.ts$' };

const libRules = Object.entries(libs).map(([lib, below]) => ({
  name: `libs-${lib}`,
  comment: `libs/${lib} stands on ${below.length === 0 ? 'no other lib' : below.join(', ')}.`,
  severity: 'error',
  from: { ...shipped, path: `^libs/${lib}/` },
  to: {
    path: '^(apps|libs|infra|test|bench|k6)/',
    pathNot: `^libs/(${[lib, ...below].join('|')})/`,
  },
}));

const roomRules = Object.entries(eventLogRooms).map(([room, beside]) => ({
  name: `event-log-${room}`,
  comment: `libs/event-log/${room} uses ${beside.length === 0 ? 'no other room' : beside.join(', ')}.`,
  severity: 'error',
  from: { ...shipped, path: `^libs/event-log/${room}/` },
  to: {
    path: '^libs/event-log/[^/]+/',
    pathNot: `^libs/event-log/(${[room, ...beside].join('|')})/`,
  },
}));

const mendedKafkajs = {
  name: 'kafkajs-is-mended',
  comment: 'libs/event-log/kafkajs.ts loads what is replaced in it first; types are of nobody.',
  severity: 'error',
  from: { pathNot: '^(libs/event-log/(kafkajs[.]ts|kafkajs-mends/)|node_modules/)' },
  to: { path: '^node_modules/kafkajs/', dependencyTypesNot: ['type-only'] },
};

const clientRules = Object.entries(clients).map(([name, place]) => ({
  name: `${name}-in-one-place`,
  comment: `Of what ships, only ${place} imports ${name}.`,
  severity: 'error',
  from: { ...shipped, path: '^(apps|libs)/', pathNot: [shipped.pathNot, `^(${place})`] },
  to: { path: `^node_modules/${name}/` },
}));

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    {
      name: 'no-cycles',
      comment:
        'Arrows point one way, types included. Only the world of the model knows its actors by type.',
      severity: 'error',
      from: { pathNot: '^test/model/' },
      to: { circular: true },
    },
    {
      name: 'every-lib-has-a-place',
      comment: 'A new lib is listed above, with what it stands on.',
      severity: 'error',
      from: { path: '^libs/', pathNot: `^libs/(${Object.keys(libs).join('|')})/` },
      to: {},
    },
    ...libRules,
    ...roomRules,
    {
      name: 'apps-stand-alone',
      comment: 'An app imports libs, and nothing of another app, of tools or of tests.',
      severity: 'error',
      from: { ...shipped, path: '^apps/([^/]+)/' },
      to: { path: '^(apps|infra|test|bench|k6)/', pathNot: '^apps/$1/' },
    },
    {
      name: 'infra-knows-no-tests',
      comment: 'Tests, benchmarks and chaos stand on infra, never the other way round.',
      severity: 'error',
      from: { ...shipped, path: '^infra/' },
      to: { path: '^(apps|test|bench|k6)/' },
    },
    {
      name: 'tests-use-libs-not-apps',
      comment: 'The harness runs the apps that were built; it does not import them.',
      severity: 'error',
      from: { ...shipped, path: '^(test|bench|k6)/' },
      to: { path: '^apps/' },
    },
    ...clientRules,
    mendedKafkajs,
    {
      name: 'what-ships-needs-no-dev-dependency',
      severity: 'error',
      from: { ...shipped, path: '^(apps|libs)/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'every-import-resolves',
      comment: 'Except those that k6 brings along.',
      severity: 'error',
      from: { pathNot: '^k6/' },
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|libs/client/dist|node_modules/.*/node_modules)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
