import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { neededCommands } from './redis-rights.ts';

const scripts = new URL('../scripts/', import.meta.url);

test('every command of the scripts is among those that are tried', () => {
  const used = readdirSync(scripts).flatMap((file) => {
    const lua = readFileSync(new URL(file, scripts), 'utf8');
    return [...lua.matchAll(/\bp?call\('([A-Z]+)'|size_of\('([A-Z]+)'/g)].map(
      ([, called, measured]) => (called ?? measured)!.toLowerCase(),
    );
  });
  expect(used.length).toBeGreaterThan(20);
  expect(used.filter((command) => !neededCommands.includes(command))).toEqual([]);
});

test('the documented ACL has every command that is tried', () => {
  const documented = /^ACL SETUSER firstcome .*$/m.exec(
    readFileSync('docs/operations.md', 'utf8'),
  )![0];
  const granted = documented.split(' ').filter((rule) => rule.startsWith('+'));
  expect(neededCommands.filter((command) => !granted.includes(`+${command}`))).toEqual([]);
});
