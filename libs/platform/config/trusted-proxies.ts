import { BlockList, isIP } from 'node:net';
import { wholeNumberIn } from '../text/decimals.ts';
import { UrlError } from '../urls/url-parts.ts';

/** How many hops, at most, anybody has before him. */
const hopsMax = 10;

/** Who may say where a request comes from: so many hops next to us, these addresses and networks, or nobody. */
export type TrustedProxies = number | readonly string[];

/** Throws in words what keeps `text` from being a list of proxies or a number of hops. */
export function readTrustedProxies(text: string): TrustedProxies {
  if (text === '') {
    return [];
  }
  const hops = wholeNumberIn(text);
  if (hops !== undefined) {
    if (hops < 1 || hops > hopsMax) {
      throw new UrlError(`must be 1 to ${hopsMax} hops, or addresses and networks of proxies`);
    }
    return hops;
  }
  const proxies = text.split(',').map((one) => one.trim());
  proxies.forEach(requireProxy);
  return proxies;
}

function requireProxy(proxy: string): void {
  const [address = '', bits, ...more] = proxy.split('/');
  const family = isIP(address);
  const length = bits === undefined ? undefined : wholeNumberIn(bits);
  if (family === 0 || more.length > 0 || (bits !== undefined && length === undefined)) {
    throw new UrlError(
      'must be addresses and networks of proxies (10.0.0.0/8), separated by commas, or a number of hops; to trust everybody would let each client choose its address',
    );
  }
  if (length === 0) {
    throw new UrlError('must not be every address: each client could choose its own');
  }
  if (length !== undefined) {
    try {
      new BlockList().addSubnet(address, length, family === 4 ? 'ipv4' : 'ipv6');
    } catch {
      throw new UrlError('has a network whose length is none');
    }
  }
}
