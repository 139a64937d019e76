import { ecsFormat } from '@elastic/ecs-pino-format';
import type { LoggerOptions } from 'pino';

type Fields = Record<string, unknown>;

/** Fields of ours that the Elastic Common Schema has a name for. */
const ecsNames: Readonly<Record<string, string>> = {
  trace_id: 'trace.id',
  span_id: 'span.id',
  request_id: 'http.request.id',
  method: 'http.request.method',
  status: 'http.response.status_code',
  url: 'url.full',
  duration_ns: 'event.duration',
};

/** Whatever the schema does not know stands in here, so that it never meets a field of the schema. */
const ownNamespace = 'firstcome';

/**
 * Lines in the Elastic Common Schema. The rest of the project names fields in its own words
 * (`request_id`, `coupon_id`, `user_id` …); what they are called in a line is decided here alone.
 */
export function ecsOptions(
  serviceName: string,
  userField: (userId: string) => object,
): LoggerOptions {
  const { formatters, ...options } = ecsFormat({ serviceName, apmIntegration: false });
  return {
    ...options,
    formatters: {
      ...formatters,
      log: (fields) => formatters!.log!(toEcs(fields, userField)),
    },
  };
}

function toEcs(fields: Fields, userField: (userId: string) => object): Fields {
  const known: Fields = {};
  const own: Fields = {};
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) {
      continue;
    }
    const ecsName = ecsNames[name];
    if (name === 'user_id') {
      Object.assign(known, userField(value as string));
    } else if (name === 'err' || name === 'error') {
      known['err'] = toError(value);
    } else if (ecsName !== undefined) {
      known[ecsName] = value;
    } else {
      own[name] = value;
    }
  }
  return Object.keys(own).length === 0 ? known : { ...known, [ownNamespace]: own };
}

/** Libraries hand on messages, and anything may be thrown; the schema knows one form of an error. */
function toError(value: unknown): Error {
  return value instanceof Error ? value : Object.assign(new Error(String(value)), { stack: '' });
}
