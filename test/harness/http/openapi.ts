import { Ajv2020 } from 'ajv/dist/2020.js';
import { fullFormats } from 'ajv-formats/dist/formats.js';
import { expect } from 'vitest';

interface Response {
  headers?: Record<string, { required?: boolean; schema: object }>;
  content?: Record<string, { schema: object; examples?: Record<string, object> }>;
}

export interface OpenApiDocument {
  paths: Record<string, Record<string, { responses: Record<string, Response> }>>;
  components: { schemas: Record<string, object> };
}

interface Answered {
  status: number;
  headers: Headers;
  text: string;
}

/** Holds answers against the OpenAPI document, and remembers what was answered. */
export class OpenApiWitness {
  /** By operation, as in `GET /health/live`: the codes of errors, and statuses of what is none. */
  readonly seen = new Map<string, Set<string>>();
  private readonly ajv = new Ajv2020({ strict: false, formats: fullFormats });

  constructor(private readonly document: OpenApiDocument) {
    this.ajv.addSchema(document, 'document');
  }

  /** The operations with all that they may answer, as in `seen`. */
  documented(): Map<string, Set<string>> {
    const entries = Object.entries(this.document.paths).flatMap(([path, operations]) =>
      Object.entries(operations).map(([method, { responses }]): [string, Set<string>] => [
        `${method.toUpperCase()} ${path}`,
        new Set(
          Object.entries(responses).flatMap(([status, { content }]) => {
            const { examples } = content?.['application/problem+json'] ?? {};
            return examples === undefined ? [status] : Object.keys(examples);
          }),
        ),
      ]),
    );
    return new Map(entries);
  }

  /** Fails unless the document has this answer of the operation, word for word. */
  saw(operation: string, { status, headers, text }: Answered): void {
    const [method = '', path = ''] = operation.split(' ');
    const response = this.document.paths[path]?.[method.toLowerCase()]?.responses[status];
    expect(response, `${operation} answers ${status}`).toBeDefined();
    this.expectHeaders(operation, response!, headers);
    const mediaType = headers.get('content-type')?.replace('; charset=utf-8', '');
    const mediaTypes = mediaType === undefined ? [] : [mediaType];
    expect(Object.keys(response!.content ?? {}), `${operation} ${status}`).toEqual(mediaTypes);
    if (mediaType === undefined || mediaType === 'text/event-stream') {
      this.remember(operation, String(status));
      return;
    }
    const body = JSON.parse(text) as { code?: string };
    const { schema, examples } = response!.content![mediaType]!;
    this.expectValid(schema, body, `${operation} ${status} ${text}`);
    const what = status < 400 ? String(status) : body.code!;
    if (status >= 400) {
      expect(Object.keys(examples!), operation).toContain(what);
    }
    this.remember(operation, what);
  }

  private expectHeaders(operation: string, response: Response, headers: Headers): void {
    for (const [name, header] of Object.entries(response.headers ?? {})) {
      const value = headers.get(name);
      const isNumber = (header.schema as { type?: string }).type === 'integer';
      if (header.required === true || value !== null) {
        this.expectValid(header.schema, isNumber ? Number(value) : value, `${operation} ${name}`);
      }
    }
  }

  private remember(operation: string, what: string): void {
    this.seen.set(operation, (this.seen.get(operation) ?? new Set()).add(what));
  }

  private expectValid(schema: object, value: unknown, message: string): void {
    const inDocument = JSON.parse(
      JSON.stringify(schema).replaceAll('"#/', '"document#/'),
    ) as object;
    const isValid = this.ajv.validate(inDocument, value);
    expect(isValid, `${message}: ${this.ajv.errorsText()}`).toBe(true);
  }
}
