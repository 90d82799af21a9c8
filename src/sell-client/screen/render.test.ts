import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AgentEvent, type AgentState, initialState, next } from '../agent/state.ts';
import { NOW_MS, SCREEN_STATES, TITLE } from '../testing/screen-states.ts';
import { renderScreen } from './render.ts';
import { COLUMNS, ROWS } from './rows.ts';

const machineId = 'ab'.repeat(32);
const up: AgentEvent = {
  type: 'network',
  network: { kind: 'up', addresses: [{ interface: 'eth0', address: '10.0.2.15' }] },
};
const refusedWith = (code: string, message: string): AgentEvent => ({
  type: 'refused',
  machineId,
  atMs: 1000,
  problem: { code, message, nextStep: 'write the stick again' },
});
const reduced = (...events: AgentEvent[]): AgentState => events.reduce(next, initialState);
const rowsOf = (state: AgentState, nowMs = 60_000) => renderScreen(state, { title: 'cpushare-seller 0.1.0', nowMs });
const screen = (state: AgentState, nowMs?: number) =>
  rowsOf(state, nowMs)
    .map(({ text }) => text)
    .join('\n');

describe('renderScreen', () => {
  it.each(Object.entries(SCREEN_STATES))('shows "%s" as it is kept', async (name, state) => {
    const rows = renderScreen(state, { title: TITLE, nowMs: NOW_MS });
    const kept = [...rows.map(({ text }) => `|${text}|`), ...rows.map(({ looks }) => `:${looks.trimEnd()}`), ''];
    await expect(kept.join('\n')).toMatchFileSnapshot(join(import.meta.dirname, `golden/${name}.txt`));
  });

  it('does not call a machine with a Wi-Fi card offline before it knows whether a configuration asks for it', () => {
    const radio: AgentEvent = { type: 'network', network: { kind: 'no-link', cards: ['wlan0'] } };
    expect(screen(reduced(radio))).not.toContain('NETWORK_NO_LINK');
    const missing: AgentEvent = { type: 'configuration', configuration: { kind: 'missing' } };
    expect(screen(reduced(radio, missing))).toContain('NETWORK_NO_LINK');
  });

  it('of an image for developers says DEBUG in place of every other word', () => {
    const facts = { title: 'cpushare-seller-debug 0.1.0', nowMs: NOW_MS };
    for (const state of Object.values(SCREEN_STATES)) {
      const [debug, release] = [true, false].map((one) => renderScreen(state, { ...facts, debug: one }));
      expect(debug?.slice(1, 8)).toEqual(renderScreen(initialState, { ...facts, debug: true }).slice(1, 8));
      expect(debug?.slice(1, 8)).not.toEqual(release?.slice(1, 8));
      expect(debug?.map(({ text }) => text).join('\n')).toContain('whoever sits here has a shell');
    }
  });

  it('is always 25 rows of 80 cells that every console font has, whatever broker and firmware say', () => {
    const text = fc.string({ unit: 'binary', maxLength: 3000 });
    fc.assert(
      fc.property(text, fc.string({ maxLength: 200 }), fc.nat(), (message, code, nowMs) => {
        const pairing = {
          kind: 'waiting',
          userCode: code,
          verificationUri: message,
          verificationUriComplete: message.slice(0, 2000),
          expiresAtMs: nowMs,
        } as const;
        const states = [reduced(up, refusedWith(code, message)), reduced(up, { type: 'pairing', pairing })];
        for (const state of states) {
          const rows = renderScreen(state, { title: message, nowMs });
          expect(rows).toHaveLength(ROWS);
          for (const { text, looks } of rows) {
            expect(text).toMatch(new RegExp(`^[ -~█▀▄]{${COLUMNS}}$`));
            expect(looks).toMatch(new RegExp(`^[ wdgyr]{${COLUMNS}}$`));
          }
        }
      }),
    );
  });

  it('says ATTESTED while accepted and fresh, and not a moment longer', () => {
    const state = reduced({ type: 'accepted', machineId, atMs: 1000, nextAttestationMs: 60_000 });
    expect(screen(state, 121_000)).toContain('ATTESTED for 2 min 0 s, machine abababab');
    expect(screen(state, 121_001)).not.toMatch(/ATTESTED/);
  });

  it('names what differs and what to do when refused', () => {
    const text = screen(reduced(up, refusedWith('INITRD_DIFFERS', 'the initrd differs')));
    expect(text).toContain('REFUSED, unattested');
    expect(text).toContain('! the initrd differs [INITRD_DIFFERS]');
    expect(text).toContain('What to do: write the stick again');
  });

  it.each([
    { kind: 'no-card', says: 'plug in a wired card' },
    { kind: 'no-link', says: 'plug in a cable' },
    { kind: 'no-address', says: 'DHCP' },
  ] as const)('tells the way out of $kind', ({ kind, says }) => {
    const network = kind === 'no-card' ? { kind } : { kind, cards: ['eth0'] };
    expect(screen(reduced({ type: 'network', network }))).toContain(says);
  });

  it('says what else is wrong, by code alone where there is no room for words', () => {
    const wrong: AgentEvent[] = [
      { type: 'network', network: { kind: 'no-link', cards: ['eth0'] } },
      { type: 'configuration', configuration: { kind: 'missing' } },
    ];
    const words = screen(reduced(...wrong));
    expect(words).toContain('[NETWORK_NO_LINK]');
    expect(words).toContain('! also: no volume labelled CPUSHARE was found');
    expect(words).toContain('[CONFIGURATION_MISSING]');
    const codes = screen(reduced(...wrong, { type: 'last-panic', reason: 'Attempted to kill init!' }));
    expect(codes).toContain('! also: CONFIGURATION_MISSING, KERNEL_PANIC');
  });

  it('never claims work or money: there is no market yet', () => {
    for (const state of Object.values(SCREEN_STATES)) {
      const text = screen(state, NOW_MS);
      if (text.includes('Earnings')) expect(text).toMatch(/Earnings {6}none yet/);
    }
  });
});

describe("a buyer's check", () => {
  const begun: AgentEvent = { type: 'check-begun' };
  const answered: AgentEvent = { type: 'check-ended', answered: true };
  it('is on the screen while it is answered, and counted after it', () => {
    expect(screen(initialState)).not.toContain('Buyers');
    expect(screen(reduced(begun))).toContain("Buyers        answering a buyer's check");
    expect(screen(reduced(begun, answered))).toContain('1 check answered');
    expect(screen(reduced(begun, answered, begun, answered))).toContain('2 checks answered');
    expect(screen(reduced(begun, { type: 'check-ended', answered: false }))).not.toContain('Buyers');
  });
});
