/**
 * What a command in Seatbelt may do, in the language of its profiles, where the last rule that fits decides. Places are
 * parameters beside the text and never stand in it, so that no folder's name can be read as a rule. Only words are used here
 * that profiles in daily use have, since one that a system does not know makes the whole of it useless.
 */

/** Every place as the kernel names it, links followed. */
export interface SeatbeltBox {
  /** Hidden, but for what is named below. */
  readonly covered: readonly string[];
  /** To be read although it lies in `covered`. */
  readonly shown: readonly string[];
  /** Hidden wherever it lies, but for what is named below. */
  readonly hidden: readonly string[];
  readonly readable: readonly string[];
  /** To be changed, but for its `.git`. */
  readonly worktree: string;
  /** Made for this command alone. */
  readonly own: string;
  readonly network: boolean;
}

export interface SeatbeltProfile {
  readonly text: string;
  /** `NAME=VALUE` for each name in the text. */
  readonly parameters: readonly string[];
}

/** The files of a person's disk have this name, too. */
const DATA_VOLUME = '/System/Volumes/Data';

export function seatbeltProfile(box: SeatbeltBox): SeatbeltProfile {
  const parameters: string[] = [];
  const place = (kind: 'subpath' | 'literal', name: string): string => {
    parameters.push(`PLACE_${parameters.length}=${name}`);
    return `(${kind} (param "PLACE_${parameters.length - 1}"))`;
  };
  const below = (places: readonly string[]): string[] => places.map((name) => place('subpath', name));
  const hide = (places: readonly string[]): string[] =>
    below(places.flatMap((name) => [name, `${DATA_VOLUME}${name}`]));

  const writable = [box.worktree, box.own];

  const rules = [
    ...BASE,
    '(allow file-read*)',
    // What a person types in a terminal is no file of theirs.
    rule('deny file-read*', [...hide(box.covered), '(regex #"^/dev/tty")']),
    rule('allow file-read*', below(box.shown)),
    rule('deny file-read*', hide(box.hidden)),
    rule('allow file-read*', below([...box.readable, ...writable])),
    // Whoever goes down a path looks at each folder on it; what lies in one is not told.
    '(allow file-read-metadata (vnode-type DIRECTORY))',
    rule('allow file-write*', below(writable)),
    rule('deny file-write*', below([`${box.worktree}/.git`])),
    // Moved away and back, what lies in it would be protected by no name.
    rule(
      'deny file-write-unlink',
      writable.map((name) => place('literal', name)),
    ),
    ...below(writable).flatMap((filter) => [
      `(allow network-bind (local unix-socket ${filter}))`,
      `(allow network-outbound (remote unix-socket ${filter}))`,
    ]),
    ...(box.network ? NETWORK : []),
  ];
  return { text: rules.flat().join('\n'), parameters };
}

/** Without a filter a rule holds for everything, so one whose list is empty is left out. */
function rule(what: string, filters: readonly string[]): string[] {
  return filters.length === 0 ? [] : [`(${what} ${filters.join(' ')})`];
}

const named = (filter: string, names: readonly string[]): string[] => names.map((name) => `(${filter} "${name}")`);

/**
 * What programs need to run at all. Nobody is asked to do something outside for them (no Apple events, no launch services,
 * no keychain), and they see and signal none but each other: the arguments and environments of others are told by
 * `kern.procargs2`, which is not on the list.
 */
const BASE = [
  '(version 1)',
  '(deny default)',
  '(allow process-exec)',
  '(allow process-fork)',
  '(allow process-info* (target same-sandbox))',
  '(allow signal (target same-sandbox))',
  '(allow mach-host*)',
  '(allow ipc-posix-sem)',
  ...rule('allow sysctl-read', [
    ...named('sysctl-name-prefix', ['hw.', 'machdep.cpu.', 'kern.os']),
    ...named('sysctl-name', ['kern.argmax', 'kern.hostname', 'kern.maxfiles', 'kern.maxfilesperproc', 'kern.maxproc']),
    ...named('sysctl-name', ['kern.ngroups', 'kern.secure_kernel', 'kern.usrstack64', 'kern.version', 'vm.loadavg']),
    ...named('sysctl-name', ['sysctl.proc_cputype']),
  ]),
  ...rule('allow mach-lookup', [
    ...named('global-name', ['com.apple.system.opendirectoryd.libinfo', 'com.apple.system.opendirectoryd.membership']),
    ...named('global-name', ['com.apple.system.notification_center', 'com.apple.system.logger', 'com.apple.logd']),
  ]),
  ...rule('allow file-write*', named('literal', ['/dev/null', '/dev/zero'])),
  '(allow file-write* (subpath "/dev/fd"))',
  ...rule('allow file-ioctl', named('literal', ['/dev/null', '/dev/zero', '/dev/random', '/dev/urandom'])),
  '(allow system-socket (socket-domain AF_UNIX))',
];

/** The network is also this machine's own; names are resolved by asking a service through its socket. */
const NETWORK = [
  '(allow network-outbound (remote ip "*:*"))',
  '(allow network-inbound (local ip "*:*"))',
  '(allow network-bind (local ip "*:*"))',
  '(allow network-outbound (literal "/private/var/run/mDNSResponder"))',
  '(allow system-socket)',
  ...rule('allow sysctl-read', named('sysctl-name-prefix', ['net.routetable.'])),
  ...rule('allow mach-lookup', [
    ...named('global-name', [
      'com.apple.SystemConfiguration.configd',
      'com.apple.SystemConfiguration.DNSConfiguration',
    ]),
    ...named('global-name', ['com.apple.networkd', 'com.apple.ocspd', 'com.apple.trustd', 'com.apple.trustd.agent']),
  ]),
];
