/** Where a request may go, judged by the address alone; whoever connects judges the resolved address with the same rules. */
import ipaddr from 'ipaddr.js';
import { hasInvisible, hasLookAlike } from './textHygiene.ts';
import { allow, ask, deny, type Verdict } from './verdict.ts';

/** Names that stand for this machine or its own network wherever they are resolved. */
const LOCAL_SUFFIX = /\.(?:localhost|local|localdomain|internal|intranet|lan|home\.arpa|onion)$/;

/** Lists of names, and `*.name` for every name below it. */
export interface HostLists {
  /** Need no question. */
  readonly hosts: readonly string[];
  readonly refuseHosts?: readonly string[];
}

export function judgeUrl(method: string, url: string, { hosts, refuseHosts = [] }: HostLists): Verdict {
  // The parser of URLs takes some of these out, others that read the same text do not.
  if (/[\s\\]/.test(url) || hasInvisible(url)) {
    return deny('The address holds blanks, backslashes or characters that nobody sees.');
  }
  if (!URL.canParse(url)) {
    return deny('It is no whole address.');
  }
  const { protocol, hostname, port, username, password } = new URL(url);
  if (protocol !== 'http:' && protocol !== 'https:') {
    return deny(`${protocol.slice(0, -1)} is no way to fetch text from the web.`);
  }
  const host = hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
  const special = whySpecial(host);
  if (special !== undefined) {
    return deny(special);
  }
  if (refuseHosts.some((entry) => covers(entry, host))) {
    return deny(`The policy of this workspace refuses ${host}.`);
  }
  if (username !== '' || password !== '') {
    return ask('The address carries a name or a password.');
  }
  if (method.toUpperCase() !== 'GET' && method.toUpperCase() !== 'HEAD') {
    return ask(`${method} sends something.`);
  }
  if (port !== '') {
    return ask(`Port ${port} is not the web’s.`);
  }
  if (hasLookAlike(url) || !hosts.some((entry) => covers(entry, host))) {
    return ask(`${host} is not on the list of hosts.`);
  }
  return allow(`${host} is on the list of hosts.`);
}

/** Why nobody may connect to an address (or a name that stands for one); undefined where it is an ordinary one. */
export function whySpecial(host: string): string | undefined {
  if (ipaddr.isValid(host)) {
    const range = rangeOf(host);
    return range === 'unicast'
      ? undefined
      : `${host} is ${range === 'loopback' ? 'this machine' : `a ${range} address`}.`;
  }
  return LOCAL_SUFFIX.test(host) || !host.includes('.')
    ? `${host} is a name of this machine or its network.`
    : undefined;
}

/** Why a host that was resolved to these may not be connected to; one special address among them is enough. */
export function whySpecialPlace(host: string, addresses: readonly string[]): string | undefined {
  if (addresses.length === 0) {
    return `${host} has no address.`;
  }
  const special = addresses.find((address) => !ipaddr.isValid(address) || whySpecial(address) !== undefined);
  return special === undefined ? undefined : `${host} leads to ${special}, which is no address of the web.`;
}

/** The range of an address, or of the IPv4 address that an IPv6 one carries. */
function rangeOf(host: string): string {
  const address = ipaddr.parse(host);
  if (!(address instanceof ipaddr.IPv6)) {
    return address.range();
  }
  const bytes = address.toByteArray();
  if (address.isIPv4MappedAddress() || bytes.slice(0, 12).every((byte) => byte === 0)) {
    const inner = new ipaddr.IPv4(bytes.slice(12)).range();
    return address.range() === 'loopback' ? 'loopback' : inner === 'unicast' ? 'tunnel' : inner;
  }
  return address.range();
}

function covers(entry: string, host: string): boolean {
  const name = entry.toLowerCase();
  return name.startsWith('*.') ? host.endsWith(name.slice(1)) && host.length > name.length - 1 : host === name;
}
