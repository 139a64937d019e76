import { defineConfig } from 'vitest/config';
import swc from 'unplugin-swc';

/** `#coupon/x.js` means `libs/coupon/x.ts` in tests: the sources are tested, not an older build. */
const libSources = {
  find: /^#([a-z-]+)\/(.*)\.js$/,
  replacement: `${import.meta.dirname}/libs/$1/$2.ts`,
};

const shared = {
  resolve: { alias: [libSources] },
  plugins: [swc.vite({ module: { type: 'es6' } })],
};

/** Projects on real servers run one file at a time: some of their tests stop a server. */
const onRealServers = {
  globalSetup: ['test/servers.setup.ts'],
  fileParallelism: false,
  testTimeout: 60_000,
  hookTimeout: 60_000,
};

export default defineConfig({
  test: {
    projects: [
      {
        ...shared,
        test: {
          name: 'unit',
          include: ['{apps,libs,infra,k6,bench,test}/**/*.spec.ts'],
          exclude: ['**/*.{int,e2e}.spec.ts'],
        },
      },
      {
        ...shared,
        test: {
          name: 'integration',
          include: ['{apps,libs,infra}/**/*.int.spec.ts'],
          ...onRealServers,
        },
      },
      { ...shared, test: { name: 'e2e', include: ['test/**/*.e2e.spec.ts'], ...onRealServers } },
    ],
  },
});
