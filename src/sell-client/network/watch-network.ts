/** Follows the wired cards by asking iproute2: often while there is no address, seldom while all is well. */
import { execa } from 'execa';
import type { NetworkState } from '../agent/state.ts';
import { nameServers, writeResolvConf } from './dhcp.ts';
import { networkState, parseInterfaces } from './interfaces.ts';

export interface WatchPorts {
  onChange(network: NetworkState): void;
  /** Whether all cards were looked for; until then it is no news that there is none. */
  cardsLookedFor(): boolean;
  /** Resolves after `ms` or when the program ends. */
  pause(ms: number): Promise<void>;
  nowMs(): number;
  readonly signal: AbortSignal;
}

/** Right after the start no card, no link and no address are the normal course and no news. */
const PATIENCE_MS = 15_000;
const SEARCHING_MS = 300;
const SETTLED_MS = 3000;

export async function watchNetwork(resolvConf: string, ports: WatchPorts): Promise<void> {
  let shown = '';
  let patientUntilMs = ports.nowMs() + PATIENCE_MS;
  while (!ports.signal.aborted) {
    const network = await readNetwork();
    if (network?.kind === 'up') patientUntilMs = 0;
    const early = ports.nowMs() < patientUntilMs || (network?.kind === 'no-card' && !ports.cardsLookedFor());
    if (network !== null && !early && JSON.stringify(network) !== shown) {
      shown = JSON.stringify(network);
      // Before anybody is told, so that the first look-up of the broker's name finds its servers.
      if (network.kind === 'up') await refreshNameServers(resolvConf, network);
      ports.onChange(network);
    }
    await ports.pause(network?.kind === 'up' ? SETTLED_MS : SEARCHING_MS);
  }
}

async function readNetwork(): Promise<NetworkState | null> {
  const answer = await execa('ip', ['-json', 'address', 'show'], { reject: false, stderr: 'ignore', timeout: 10_000 });
  // iproute2 prints nothing at all where there is no interface.
  return answer.failed ? null : networkState(parseInterfaces(answer.stdout || '[]'));
}

async function refreshNameServers(resolvConf: string, network: NetworkState & { kind: 'up' }): Promise<void> {
  const names = [...new Set(network.addresses.map((address) => address.interface))];
  const servers = (await Promise.all(names.map(nameServers))).flat();
  await writeResolvConf(resolvConf, servers);
}
