import stringWidth from 'string-width';
import { expect, test } from 'vitest';
import { alignColumns, toOneLine } from './text.ts';

test('columns align on a terminal, whatever is in them', () => {
  const names = ['name', '겨울 세일', 'wïnter', '👨‍👩‍👧 가족', 'ｆｕｌｌ', 'a\u001b[31m', '한'];
  const lines = alignColumns(names.map((name) => [name, '|']))
    .trimEnd()
    .split('\n');
  const places = lines.map((line) => stringWidth(line.slice(0, line.indexOf('|'))));
  expect(lines).toHaveLength(names.length);
  expect(new Set(places).size).toBe(1);
});

test('a cell stays one line, of whole characters', () => {
  expect(toOneLine(' a\n b\u2028c\u0000 ', 20)).toBe('a b c\\u0000');
  expect(toOneLine('🎟🎟🎟🎟', 3)).toBe('🎟🎟…');
});
