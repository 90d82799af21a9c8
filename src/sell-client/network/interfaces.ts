/** The state of the wired cards, out of `ip -json address` (iproute2): pure. */
import type { Address, NetworkState } from '../agent/state.ts';

interface Link {
  readonly ifname: string;
  readonly link_type?: string;
  readonly flags?: readonly string[];
  readonly addr_info?: readonly { readonly family?: string; readonly local?: string; readonly scope?: string }[];
}

/** Real Ethernet cards only: `link_type` is `loopback` for lo and `none` or others for tunnels. */
export function parseInterfaces(json: string): Link[] {
  const value: unknown = JSON.parse(json);
  if (!Array.isArray(value)) throw new TypeError('ip did not answer with a list');
  return value.filter((link): link is Link => typeof link?.ifname === 'string' && link.link_type === 'ether');
}

export function networkState(links: readonly Link[]): NetworkState {
  if (links.length === 0) return { kind: 'no-card' };
  const addresses = links.filter(hasCarrier).flatMap(routable);
  if (addresses.length > 0) return { kind: 'up', addresses };
  const cards = links.map((link) => link.ifname);
  return links.some(hasCarrier) ? { kind: 'no-address', cards } : { kind: 'no-link', cards };
}

/** The kernel's LOWER_UP: the cable is in and the other end is on. */
function hasCarrier(link: Link): boolean {
  return link.flags?.includes('LOWER_UP') ?? false;
}

/** IPv4 first, as that is what a seller reads to somebody; link-local addresses reach no broker. */
function routable(link: Link): Address[] {
  return (link.addr_info ?? [])
    .filter((info) => info.scope === 'global' && info.local !== undefined && !info.local.startsWith('169.254.'))
    .sort((a, b) => (a.family ?? '').localeCompare(b.family ?? ''))
    .map((info) => ({ interface: link.ifname, address: info.local ?? '' }));
}

/** Cards that are down and have to be brought up before they can tell whether a cable is in. */
export function cardsDown(links: readonly Link[]): string[] {
  return links.filter((link) => !link.flags?.includes('UP')).map((link) => link.ifname);
}
