import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { localDir } from '../../infra/local/processes/paths.ts';
import { runToEnd } from '../../infra/local/processes/process.ts';
import type { Report } from '../../infra/local/terminal/progress.ts';

const version = '4.32.5';
const venv = join(localDir, 'venv');
const program = join(venv, 'bin', 'schemathesis');

/** The path of schemathesis, put into a virtual environment of its own; why not, where it cannot be had. */
export async function ensureSchemathesis(
  report: Report,
): Promise<{ path: string } | { missing: string }> {
  if (existsSync(program)) {
    return { path: program };
  }
  const steps: [string, string, string[]][] = [
    ['python3 -m venv', 'python3', ['-m', 'venv', venv]],
    ['pip install', join(venv, 'bin', 'pip'), ['install', '-q', `schemathesis==${version}`]],
  ];
  for (const [label, command, args] of steps) {
    const { code, output } = await report.step(`schemathesis (${label})`, () =>
      runToEnd(command, args),
    );
    if (code !== 0) {
      return { missing: `${label}: ${output.trim().split('\n').at(-1)}` };
    }
  }
  return { path: program };
}
