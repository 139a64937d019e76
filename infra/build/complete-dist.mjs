// What tsc does not write into dist.
import { cpSync, readFileSync, writeFileSync } from 'node:fs';

// The gate reads its scripts beside the compiled code.
cpSync('libs/gate', 'dist/libs/gate', {
  recursive: true,
  filter: (source) => !source.includes('.') || source.endsWith('.lua'),
});

const { version } = JSON.parse(readFileSync('package.json', 'utf8'));

// Node looks for `imports` in the nearest package.json: in the sources `#gate/gate.ts` is a source,
// in the build it is what was built.
writeFileSync(
  'dist/package.json',
  `${JSON.stringify({ version, type: 'module', imports: { '#*.ts': './libs/*.js' } }, undefined, 2)}\n`,
);
