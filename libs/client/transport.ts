/** What the generated calls are made with: `fetch`, and nothing else. */

/** Where the api is, and how it is asked. */
export interface Endpoint {
  /** As in `https://coupons.example.com`; in a browser that has the page of the same origin: ''. */
  baseUrl?: string;
  /** Sent with each request, for instance `authorization`; a function is asked each time. */
  headers?:
    Record<string, string> | (() => Record<string, string> | Promise<Record<string, string>>);
  fetch?: typeof fetch;
}

export type Outcome<Responses, Errors> =
  | { data: Responses[keyof Responses]; error?: never; response: Response }
  | { data?: never; error: Errors[keyof Errors] | undefined; response: Response };

/* The names below are those that the generated calls import. */

export type RequestResult<Responses, Errors, _ThrowOnError> = Promise<Outcome<Responses, Errors>>;

export type ClientMeta = Record<string, unknown>;

export interface TDataShape {
  body?: unknown;
  headers?: unknown;
  path?: unknown;
  query?: unknown;
  url: string;
}

export type Options<Data extends TDataShape, _ThrowOnError, _Response> = Omit<
  Data,
  'url' | 'headers'
> & {
  headers?: Record<string, string>;
  signal?: AbortSignal;
};

interface Call {
  url: string;
  body?: unknown;
  headers?: unknown;
  path?: unknown;
  query?: unknown;
  signal?: AbortSignal;
  /** What may be asked for; whoever has a token gives it in the headers of the `Endpoint`. */
  security?: unknown;
}

export interface Client {
  get<Responses, Errors, ThrowOnError>(call: Call): RequestResult<Responses, Errors, ThrowOnError>;
  post<Responses, Errors, ThrowOnError>(call: Call): RequestResult<Responses, Errors, ThrowOnError>;
}

export function createTransport(endpoint: Endpoint): Client {
  const send =
    (method: string) =>
    <Responses, Errors>(call: Call) =>
      ask<Responses, Errors>(endpoint, method, call);
  return { get: send('GET'), post: send('POST') };
}

/** For calls that name no client: the origin of the page. */
export const client = createTransport({});

/** Rejects only when no answer comes. */
async function ask<Responses, Errors>(
  endpoint: Endpoint,
  method: string,
  call: Call,
): Promise<Outcome<Responses, Errors>> {
  const { baseUrl = '', headers, fetch: send = fetch } = endpoint;
  const given = typeof headers === 'function' ? await headers() : headers;
  const response = await send(baseUrl.replace(/\/$/, '') + urlOf(call), {
    method,
    headers: defined({ ...given, ...(call.headers as object | undefined) }),
    signal: call.signal ?? null,
    ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
  });
  const text = await response.text();
  // Whatever stands between may answer with a page of its own.
  const isJson = /[/+]json/.test(response.headers.get('content-type') ?? '');
  const body: unknown = isJson && text !== '' ? JSON.parse(text) : undefined;
  return response.ok
    ? { data: body as Responses[keyof Responses], response }
    : { error: body as Errors[keyof Errors] | undefined, response };
}

function urlOf({ url, path, query }: Call): string {
  const filled = url.replace(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(String((path as Record<string, unknown>)[name])),
  );
  const asked = new URLSearchParams(defined(query ?? {})).toString();
  return asked === '' ? filled : `${filled}?${asked}`;
}

function defined(values: object): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values)
      .filter(([, value]) => value !== undefined && value !== null)
      .map(([name, value]) => [name, String(value)]),
  );
}
