import { readHost, readPort, UrlError } from './url-parts.ts';

/**
 * Reads a list of brokers as Kafka's own tools read `bootstrap.servers`: `host:port`, separated by
 * commas, empty ones left out. One that is named twice counts once. Throws `UrlError`.
 */
export function readBrokers(list: string): string[] {
  const entries = list
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
  if (entries.length === 0) {
    throw new UrlError('must be host:port[,host:port…]');
  }
  return [...new Set(entries.map((entry) => readBroker(entry)))];
}

function readBroker(entry: string): string {
  if (entry.includes('://')) {
    throw new UrlError('must be host:port[,host:port…], without a scheme; TLS is KAFKA_SSL=true');
  }
  if (entry.includes('[') || entry.split(':').length > 2) {
    throw new UrlError('the client of Kafka takes no IPv6 address: give the name of the host');
  }
  const [name = '', digits] = entry.split(':');
  const host = readHost(name);
  const port = readPort(digits);
  if (host === undefined || port === undefined) {
    throw new UrlError('must be host:port[,host:port…]: a host or a port is missing');
  }
  return `${host.toLowerCase()}:${port}`;
}
