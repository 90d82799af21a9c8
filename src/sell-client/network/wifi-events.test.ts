import { describe, expect, it } from 'vitest';
import { type WifiProgress, wifiProgress } from './wifi-events.ts';

/** The lines as iwd 3.8 prints them. */
function told(...lines: string[]): WifiProgress['kind'][] {
  const kinds: WifiProgress['kind'][] = ['searching'];
  for (const line of lines) {
    const progress = wifiProgress(line, kinds.at(-1) ?? 'searching');
    if (progress !== null) kinds.push(progress.kind);
  }
  return kinds.slice(1);
}

const state = (from: string, to: string) => `event: state, old: ${from}, new: ${to}`;

describe('wifiProgress', () => {
  it('follows a connection', () => {
    expect(
      told(
        'Wireless daemon version 3.8',
        state('disconnected', 'autoconnect_quick'),
        'event: connect-info, ssid: home, bss: 02:00:00:00:01:00, signal: -30, load: 0/255',
        state('autoconnect_quick', 'connecting (auto)'),
        state('connecting (auto)', 'connected'),
      ),
    ).toEqual(['searching', 'connecting', 'connected']);
  });

  it.each([
    { name: 'the handshake fails', line: '4-Way handshake failed for ifindex: 3, reason: 15' },
    { name: 'the access point sends away', line: 'Received Deauthentication event, reason: 15, from_ap: true' },
    { name: 'SAE fails', line: 'event: connect-failed, status: 1' },
  ])('takes it for a wrong key when $name, and keeps saying so', ({ line }) => {
    const lines = [state('autoconnect_full', 'connecting (auto)'), line, state('connecting (auto)', 'disconnected')];
    expect(told(...lines, state('disconnected', 'autoconnect_full'))).toEqual(['connecting', 'key-refused']);
  });

  it('does not blame the key for what has other reasons', () => {
    expect(told('event: connect-failed, status: 17')).toEqual(['refused']);
    expect(told(state('connecting', 'connected'), 'Received Deauthentication event, reason: 2, from_ap: true')).toEqual(
      ['connected'],
    );
  });

  it('is not led astray by a network that is called like an event', () => {
    expect(told('event: connect-info, ssid: event: connect-failed, status: 1, bss: 02:00:00:00:01:00')).toEqual([]);
  });
});
