// Puts the graph that `npm run graph` draws into docs/architecture.md, in place of the one there.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';

const file = 'docs/architecture.md';
const graph = execFileSync('npm', ['run', '-s', 'graph'], { encoding: 'utf8' });
const text = readFileSync(file, 'utf8');
writeFileSync(
  file,
  text.replace(/(?<=^```mermaid\n)flowchart[\s\S]*?(?=^```)/m, () => graph),
);
