import { isIP } from 'node:net';

/** Of an IPv6 address: what a provider gives to one customer at least, who may use all of it. */
const networkGroups = 4;
const ipv4InIpv6 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;
const withPort = /^(?:\[([^\]]+)\]|(\d+\.\d+\.\d+\.\d+))(?::\d+)?$/;

/**
 * Whose requests are counted together: an IPv4 address, or the /64 of an IPv6 one; `undefined` where it
 * is no address, whoever said so. Some proxies add the port.
 */
export function countedAddress(said: string): string | undefined {
  const [, bracketed, dotted] = withPort.exec(said) ?? [];
  const [address = ''] = (bracketed ?? dotted ?? said).split('%');
  switch (isIP(address)) {
    case 4:
      return address;
    case 6:
      return ipv4InIpv6.exec(address)?.[1] ?? networkOf(address);
    default:
      return undefined;
  }
}

/** Written in one way, for an address may be written in many. */
function networkOf(address: string): string {
  // The last four bytes may be written as those of IPv4: two groups.
  const [before = '', after] = address.replace(/\d+\.\d+\.\d+\.\d+$/, '0:0').split('::');
  const first = groupsOf(before);
  const last = groupsOf(after ?? '');
  const zeros = Array<string>(8 - first.length - last.length).fill('0');
  const groups = [...first, ...zeros, ...last].slice(0, networkGroups);
  return `${groups.map((group) => Number.parseInt(group, 16).toString(16)).join(':')}::/64`;
}

function groupsOf(text: string): string[] {
  return text === '' ? [] : text.split(':');
}
