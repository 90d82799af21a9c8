import { describe, expect, it } from 'vitest';
import { parseNameServers } from './dhcp.ts';
import { networkState, parseInterfaces } from './interfaces.ts';

/** Shapes as `ip -json address` (iproute2 6.15) prints them, shortened to what is read. */
const loopback = {
  ifname: 'lo',
  link_type: 'loopback',
  flags: ['LOOPBACK', 'UP', 'LOWER_UP'],
  addr_info: [{ family: 'inet', local: '127.0.0.1', scope: 'host' }],
};
const card = (flags: string[], addresses: object[]) => ({
  ifname: 'eth0',
  link_type: 'ether',
  flags,
  addr_info: addresses,
});
const state = (...links: object[]) => networkState(parseInterfaces(JSON.stringify([loopback, ...links])));

describe('networkState', () => {
  it.each([
    { name: 'only the loopback', links: [], kind: 'no-card' },
    { name: 'no cable', links: [card(['BROADCAST', 'UP'], [])], kind: 'no-link' },
    {
      name: 'cable, no lease',
      links: [card(['UP', 'LOWER_UP'], [{ family: 'inet6', local: 'fe80::1', scope: 'link' }])],
      kind: 'no-address',
    },
    {
      name: 'an address nobody gave',
      links: [card(['UP', 'LOWER_UP'], [{ family: 'inet', local: '169.254.3.4', scope: 'global' }])],
      kind: 'no-address',
    },
    {
      name: 'address kept after the cable went',
      links: [card(['UP'], [{ family: 'inet', local: '10.0.2.15', scope: 'global' }])],
      kind: 'no-link',
    },
  ])('$name: $kind', ({ links, kind }) => expect(state(...links).kind).toBe(kind));

  it('lists IPv4 before IPv6', () => {
    const addresses = [
      { family: 'inet6', local: 'fec0::1', scope: 'global' },
      { family: 'inet', local: '10.0.2.15', scope: 'global' },
    ];
    expect(state(card(['UP', 'LOWER_UP'], addresses))).toEqual({
      kind: 'up',
      addresses: [
        { interface: 'eth0', address: '10.0.2.15' },
        { interface: 'eth0', address: 'fec0::1' },
      ],
    });
  });

  it('refuses an answer that is no list', () => expect(() => parseInterfaces('{}')).toThrow('list'));
});

describe('parseNameServers', () => {
  it('reads the lease that dhcpcd 10.1 dumps', () => {
    const lease = 'reason=BOUND\ninterface=eth0\nip_address=10.9.0.11\ndomain_name_servers=10.9.0.1 10.9.0.2\n';
    expect(parseNameServers(lease)).toEqual(['10.9.0.1', '10.9.0.2']);
  });

  it('takes addresses only, whatever a network sends', () => {
    expect(parseNameServers('domain_name_servers=10.9.0.1 $(reboot) evil.example\nrouters=10.9.0.1\n')).toEqual([
      '10.9.0.1',
    ]);
  });
});
