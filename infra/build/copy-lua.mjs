// tsc copies no .lua files; the gate reads its scripts beside the compiled code.
import { cpSync } from 'node:fs';

cpSync('libs/gate', 'dist/libs/gate', {
  recursive: true,
  filter: (source) => !source.includes('.') || source.endsWith('.lua'),
});
