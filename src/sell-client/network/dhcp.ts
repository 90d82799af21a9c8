/** DHCP by dhcpcd as a child: every wired card, now or later, without hook scripts. */
import { rename, writeFile } from 'node:fs/promises';
import { execa } from 'execa';
import { CodedError } from '../../shared/errors.ts';

export class DhcpError extends CodedError<'DHCP_CLIENT_FAILED'> {}

const OPTIONS = [
  ...['--config', '/dev/null'],
  // Nothing runs on our behalf when a lease comes: this client reads it when it wants to.
  ...['--script', '/dev/null'],
  ...['--option', 'domain_name_servers', '--option', 'routers', '--option', 'subnet_mask'],
  // The card's own address identifies it, so a machine gets the same lease at every boot.
  '--clientid=',
  // An address nobody gave reaches no broker; and asking whether a given one is taken costs seconds of every boot.
  ...['--noipv4ll', '--noarp'],
];

/** Runs until `signal`; ends with an error when dhcpcd ends by itself. @throws DhcpError */
export async function runDhcp(signal: AbortSignal): Promise<void> {
  // One left behind by an earlier run of this program would keep its hold on the cards.
  await execa('dhcpcd', ['--exit'], { reject: false, stdio: 'ignore', timeout: 10_000 });
  const run = await execa('dhcpcd', [...OPTIONS, '--nobackground', '--quiet'], {
    reject: false,
    stdin: 'ignore',
    stdout: 'ignore',
    stderr: 'pipe',
    maxBuffer: { stderr: 64 * 1024 },
    cancelSignal: signal,
  });
  if (signal.aborted) return;
  const said = run.stderr?.trim().split('\n').at(-1) ?? '';
  throw new DhcpError('DHCP_CLIENT_FAILED', `the DHCP client ended: ${said || run.shortMessage || 'no reason given'}`, {
    nextStep: 'it is started again by itself; restart the machine if this stays',
  });
}

/** Name servers of one interface's leases (`name=value` lines of `dhcpcd --dumplease`). */
export async function nameServers(interfaceName: string): Promise<string[]> {
  const lease = await execa('dhcpcd', ['--config', '/dev/null', '--dumplease', interfaceName], {
    reject: false,
    stderr: 'ignore',
    timeout: 10_000,
  });
  return parseNameServers(lease.stdout ?? '');
}

export function parseNameServers(lease: string): string[] {
  const values = [
    ...lease.matchAll(/^(?:dhcp6_|nd\d*_)?(?:domain_name_servers|name_servers|rdnss\d*_servers)=(.*)$/gm),
  ];
  const servers = values.flatMap((match) => (match[1] ?? '').replace(/['"]/g, '').split(/\s+/));
  // Data from the network that goes into a file: addresses and nothing else.
  return [...new Set(servers)].filter((server) => /^[0-9a-fA-F:.]+$/.test(server));
}

/** resolv.conf(5); the resolver reads at most three servers. */
export async function writeResolvConf(path: string, servers: readonly string[]): Promise<void> {
  const text = servers
    .slice(0, 3)
    .map((server) => `nameserver ${server}\n`)
    .join('');
  await writeFile(`${path}.new`, text);
  await rename(`${path}.new`, path);
}
