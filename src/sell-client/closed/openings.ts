/**
 * What stands open on a machine that must be closed to its own operator: pure rules over what /proc and /sys say. An
 * operator who changed more than this finds is still caught by the measurements; this catches what a person would try first.
 */

export interface MachineFacts {
  /** /proc/cmdline */
  readonly commandLine: string;
  /** /sys/kernel/security/lockdown: `none integrity [confidentiality]` */
  readonly lockdown: string;
  /** /sys/module/module/parameters/sig_enforce */
  readonly signatureEnforced: string;
  /** /sys/power/disk: how the machine would hibernate; `[disabled]`, or empty where it cannot at all. */
  readonly hibernation: string;
  /** /proc/sys/kernel/modules_disabled */
  readonly modulesDisabled: string;
  /** The values now in the kernel, by sysctl name; null where there is no such setting. */
  readonly settings: ReadonlyMap<string, string | null>;
  /** /proc/mounts */
  readonly mounts: string;
  /** /proc/swaps */
  readonly swaps: string;
  /** /proc/net/{tcp,tcp6}, one text after another. */
  readonly tcp: string;
  /** /proc/net/{udp,udp6} */
  readonly udp: string;
}

export interface Expectations {
  /** The parameters that the image was built with. */
  readonly commandLine: string;
  /** sysctl.conf of the image. */
  readonly settings: ReadonlyMap<string, string>;
  /** True once all drivers are loaded. */
  readonly driversFinal: boolean;
}

/** DHCP and DHCPv6 clients (RFC 2131, RFC 9915): the only ports that anything may be bound to. */
const CLIENT_PORTS = new Set([68, 546]);
/** File systems that show the kernel's inside. */
const TELLING = /^\S+ \S+ (debugfs|tracefs) /m;
const TCP_LISTEN = '0A';

/** Empty when all is closed; else a sentence for each. */
export function findOpenings(machine: MachineFacts, expected: Expectations): string[] {
  return [
    ...commandLineOpenings(machine.commandLine, expected.commandLine),
    ...unless(machine.lockdown.includes('[confidentiality]'), 'the kernel is not locked down for confidentiality'),
    ...unless(machine.signatureEnforced === 'Y', 'the kernel takes drivers without a signature'),
    ...unless(/^$|\[disabled\]/.test(machine.hibernation), 'the machine can hibernate'),
    ...unless(!expected.driversFinal || machine.modulesDisabled === '1', 'the kernel still takes drivers'),
    ...settingOpenings(machine.settings, expected.settings),
    ...unless(!TELLING.test(machine.mounts), 'a file system that shows the inside of the kernel is mounted'),
    ...unless(machine.swaps.trim().split('\n').length <= 1, 'memory is swapped to a disk'),
    ...sockets(machine.tcp)
      .filter(({ state }) => state === TCP_LISTEN)
      .map(({ port }) => `something listens on TCP port ${port}`),
    ...sockets(machine.udp)
      .filter(({ port, remotePort }) => remotePort === 0 && !CLIENT_PORTS.has(port))
      .map(({ port }) => `something listens on UDP port ${port}`),
  ];
}

/** GRUB puts BOOT_IMAGE in front; every other word must be one of ours, in our order. */
function commandLineOpenings(given: string, wanted: string): string[] {
  const words = given
    .trim()
    .split(/\s+/)
    .filter((word) => !word.startsWith('BOOT_IMAGE='));
  const ours = wanted.trim().split(/\s+/);
  const added = words.filter((word) => !ours.includes(word));
  const missing = ours.filter((word) => !words.includes(word));
  if (added.length > 0) return [`the kernel parameter ${added[0]} is not the image's`];
  if (missing.length > 0) return [`the kernel parameter ${missing[0]} is missing`];
  return unless(words.join(' ') === ours.join(' '), "the kernel parameters are not in the image's order");
}

function settingOpenings(now: MachineFacts['settings'], wanted: Expectations['settings']): string[] {
  return [...wanted].flatMap(([name, value]) => {
    const found = now.get(name)?.trim().replace(/\s+/g, ' ');
    return unless(found === value, `the kernel setting ${name} is ${found ?? 'absent'}, not ${value}`);
  });
}

/** Rows of /proc/net/tcp and its likes: `sl local:port remote:port state …`, numbers in hexadecimal. */
function sockets(text: string): { readonly port: number; readonly remotePort: number; readonly state: string }[] {
  const rows = text.matchAll(/^\s*\d+: [0-9A-F]+:([0-9A-F]{4}) [0-9A-F]+:([0-9A-F]{4}) ([0-9A-F]{2}) /gm);
  return [...rows].map(([, port = '', remote = '', state = '']) => ({
    port: Number.parseInt(port, 16),
    remotePort: Number.parseInt(remote, 16),
    state,
  }));
}

/** `name = value` lines of sysctl.conf(5). */
export function parseSettings(text: string): Map<string, string> {
  return new Map([...text.matchAll(/^([a-z0-9_.-]+) = (\S.*)$/gm)].map(([, name = '', value = '']) => [name, value]));
}

function unless(fine: boolean, sentence: string): string[] {
  return fine ? [] : [sentence];
}
