import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { fingerprintOf } from '#ledger/queries/fingerprint.ts';
import { rootDir } from '../../infra/local/processes/paths.ts';

export interface SourceStatement {
  /** File and line. */
  place: string;
  /** What its fingerprint looks like; what is put together at run time may be anything. */
  pattern: RegExp;
}

const verbs = /^\s*(?:SELECT|INSERT|UPDATE|DELETE|REPLACE|WITH)\b/;
const hole = 'hole_of_the_template';

/** Words that begin like a statement name no table in its way, nor does a question about the server. */
const ofTable = /\b(?:FROM|INTO|UPDATE \S+ SET)\b/;

/** Every statement about a table that is written out in the sources of the ledger, in whatever file: found, not listed. */
export function statementsInSources(): SourceStatement[] {
  return globSync('libs/ledger/**/*.ts', { cwd: rootDir })
    .filter((file) => !file.endsWith('.spec.ts') && !file.includes('/migrations/'))
    .flatMap(statementsIn);
}

function statementsIn(file: string): SourceStatement[] {
  const source = ts.createSourceFile(
    file,
    readFileSync(join(rootDir, file), 'utf8'),
    ts.ScriptTarget.Latest,
    true,
  );
  const found: SourceStatement[] = [];
  const visit = (node: ts.Node): void => {
    const text = textOf(node);
    if (text !== undefined && verbs.test(text) && ofTable.test(text)) {
      const line = source.getLineAndCharacterOfPosition(node.getStart()).line + 1;
      found.push({ place: `${file}:${line}`, pattern: toPattern(text) });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

function textOf(node: ts.Node): string | undefined {
  if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) {
    return node.text;
  }
  return ts.isTemplateExpression(node)
    ? [node.head.text, ...node.templateSpans.map(({ literal }) => literal.text)].join(` ${hole} `)
    : undefined;
}

function toPattern(sql: string): RegExp {
  const parts = fingerprintOf(sql).text.split(hole);
  // What fills a hole may take the spaces around it, and the brackets of a list.
  const escaped = parts.map((part) =>
    part.trim().replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`),
  );
  return new RegExp(`^${escaped.join('.*')}$`);
}
