import { expect, test } from 'vitest';
import { scoreTable } from './mutation-scores.ts';

test('tests that ran out of time are counted apart from those that failed, and what never ran not at all', () => {
  const killed = (statusReason: string) => ({ status: 'Killed', statusReason });
  const table = scoreTable({
    files: {
      'b.ts': { mutants: [{ status: 'NoCoverage' }] },
      'a.ts': {
        mutants: [
          killed('expected 1 to be 2'),
          killed('Test timed out in 30000ms.'),
          killed('Hook timed out in 30000ms.'),
          { status: 'Timeout' },
          { status: 'Survived' },
          { status: 'CompileError' },
          { status: 'Ignored' },
        ],
      },
      'c.ts': { mutants: [] },
    },
  });
  expect(table.split('\n').slice(2)).toEqual([
    '| `a.ts` | 5 | 1 | 3 | 1 | 0 | 80 % |',
    '| `b.ts` | 1 | 0 | 0 | 0 | 1 | 0 % |',
    '| `c.ts` | 0 | 0 | 0 | 0 | 0 | – |',
    '| all | 6 | 1 | 3 | 1 | 1 | 66 % |',
    '',
  ]);
});
