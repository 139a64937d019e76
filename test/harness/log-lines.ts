import { expect } from 'vitest';

/** A line of a process, as `docs/operations.md` describes it. */
export interface LogLine {
  '@timestamp': string;
  'log.level': string;
  message: string;
  error?: { type: string; message: string; stack_trace: string };
  firstcome?: Record<string, unknown>;
  [field: string]: unknown;
}

/** What may stand at the top of a line: fields of the Elastic Common Schema, and our own room. */
const fields = new Set([
  '@timestamp',
  'log.level',
  'message',
  'ecs.version',
  'service.name',
  'event.dataset',
  'event.duration',
  'process.pid',
  'host.hostname',
  'trace.id',
  'span.id',
  'http.request.id',
  'http.request.method',
  'http.response.status_code',
  'url.full',
  'user.id',
  'user.hash',
  'error',
  'firstcome',
]);

/** Every line that a process has written, each of them held to the names of fields. */
export function logLines(output: string): LogLine[] {
  const lines = output.split('\n').filter((line) => line.startsWith('{'));
  return lines.map((text) => {
    const line = JSON.parse(text) as LogLine;
    expect(line).toMatchObject({
      '@timestamp': expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string,
      'log.level': expect.stringMatching(/^(trace|debug|info|warn|error|fatal)$/) as string,
      'ecs.version': expect.any(String) as string,
      'service.name': expect.stringMatching(/^firstcome-/) as string,
      message: expect.any(String) as string,
    });
    expect(Object.keys(line).filter((field) => !fields.has(field))).toEqual([]);
    return line;
  });
}

/** The lines about failures of this code. */
export function failureLines(output: string, code: string): LogLine[] {
  return logLines(output).filter((line) => line.firstcome?.['code'] === code);
}
