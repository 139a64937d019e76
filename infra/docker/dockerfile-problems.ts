interface Stage {
  base: string;
  name: string;
  /** Instruction and the rest of its line, such as `['USER', 'node']`. */
  lines: [instruction: string, rest: string][];
}

/**
 * What is wrong with a Dockerfile, a line each.
 * @param exists whether a path is in the repository
 */
export function dockerfileProblems(
  text: string,
  dockerignore: string,
  exists: (path: string) => boolean,
): string[] {
  const stages = parseStages(text);
  const last = stages.at(-1);
  if (last === undefined) {
    return ['has no stage'];
  }
  const user = last.lines.findLast(([instruction]) => instruction === 'USER')?.[1];
  const copies = stages.flatMap(({ lines }) =>
    lines.filter(([instruction]) => instruction === 'COPY').map(([, rest]) => rest.split(' ')),
  );
  return [
    ...(user === undefined || /^(root|0)\b/.test(user) ? ['its processes would run as root'] : []),
    ...stages
      .filter(({ base }) => !/:[^:]*\d/.test(base))
      .map(({ base }) => `${base} names no version`),
    ...copies.flatMap((words) => copyProblems(words, stages, dockerignore, exists)),
    ...dependencyProblems(last, stages),
  ];
}

function parseStages(text: string): Stage[] {
  const stages: Stage[] = [];
  for (const line of text.replaceAll(/\\\n/g, ' ').split('\n')) {
    const [, instruction, rest] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? [];
    if (instruction === undefined || rest === undefined) {
      continue; // blank, or a comment
    }
    if (instruction === 'FROM') {
      const [base = '', , name = ''] = rest.split(/\s+/);
      stages.push({ base, name, lines: [] });
    } else {
      stages.at(-1)?.lines.push([instruction, rest]);
    }
  }
  return stages;
}

function copyProblems(
  words: string[],
  stages: Stage[],
  dockerignore: string,
  exists: (path: string) => boolean,
): string[] {
  const from = words.find((word) => word.startsWith('--from='))?.slice('--from='.length);
  if (from !== undefined) {
    return stages.some(({ name }) => name === from) ? [] : [`copies from ${from}: no such stage`];
  }
  const [everythingElse, ...patterns] = dockerignore
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  if (everythingElse !== '*') {
    return ['.dockerignore does not start by ignoring everything'];
  }
  return words
    .slice(0, -1)
    .flatMap((source) => [
      ...(exists(source) ? [] : [`copies ${source}, which is not in the repository`]),
      ...(patterns.includes(`!${source}`) ? [] : [`copies ${source}, which .dockerignore hides`]),
    ]);
}

/** The image runs what was built, with the packages of a stage that left development ones out. */
function dependencyProblems(last: Stage, stages: Stage[]): string[] {
  const sourceOf = (path: string) =>
    last.lines
      .map(([, rest]) => new RegExp(`^--from=(\\S+) \\S*/${path} ${path}$`).exec(rest)?.[1])
      .map((from) => stages.find(({ name }) => name === from))
      .find((stage) => stage !== undefined);
  const runs = (stage: Stage | undefined, pattern: RegExp) =>
    stage?.lines.some(([instruction, rest]) => instruction === 'RUN' && pattern.test(rest)) ??
    false;
  return [
    ...(runs(sourceOf('node_modules'), /npm ci .*--omit=dev/) ? [] : ['has development packages']),
    ...(runs(sourceOf('dist'), /npm run build/) ? [] : ['has no dist that it built']),
  ];
}
