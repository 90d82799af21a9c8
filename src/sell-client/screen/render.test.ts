import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AgentEvent, type AgentState, initialState, next } from '../agent/state.ts';
import { linesDisplay, screenDisplay } from './consoles.ts';
import { COLUMNS, ROWS, renderScreen } from './render.ts';
import { statusLines } from './status-lines.ts';

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
const screen = (state: AgentState, nowMs = 60_000) =>
  renderScreen(state, { title: 'cpushare-seller 0.1.0', nowMs }).join('\n');

describe('renderScreen', () => {
  it('is always 25 rows of 80 printable characters, whatever broker and firmware say', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 3000 }),
        fc.string({ maxLength: 200 }),
        fc.nat(),
        (message, code, nowMs) => {
          const rows = renderScreen(reduced(up, refusedWith(code, message)), { title: message, nowMs });
          expect(rows).toHaveLength(ROWS);
          for (const row of rows) expect(row).toMatch(new RegExp(`^[ -~]{${COLUMNS}}$`));
        },
      ),
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
    expect(statusLines(reduced(begun))).toContain('cpushare: buyer-check=answering');
    expect(statusLines(reduced(begun, answered))).toContain('cpushare: buyer-checks answered=1');
  });
});

describe('statusLines', () => {
  it('has stable keys for programs', () => {
    const lines = statusLines(reduced(up, { type: 'accepted', machineId, atMs: 1000, nextAttestationMs: 60_000 }));
    expect(lines).toContain('cpushare: network=up address=10.0.2.15');
    expect(lines).toContain(`cpushare: attestation=accepted machine=${machineId} at-ms=1000`);
  });

  it('never breaks a line or its quotes, whatever a message holds', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (message) => {
        for (const line of statusLines(reduced(refusedWith('X', message)))) expect(line).toMatch(/^cpushare: [ -~]+$/);
      }),
    );
  });
});

function sink() {
  const written: string[] = [];
  const out = { write: (text: string) => written.push(text), end: () => {} } as unknown as NodeJS.WritableStream;
  return { out, written };
}

describe('displays', () => {
  it('draws the whole screen once, then only the rows that changed', () => {
    const { out, written } = sink();
    const display = screenDisplay(out, 'title');
    display.show(initialState, 0);
    display.show(initialState, 10);
    display.show(initialState, 1000);
    expect(written).toHaveLength(2);
    expect(written[1]).toContain('\x1b[25;1HRunning for 1 s');
    expect(written[1]?.split('\x1b[')).toHaveLength(2);
  });

  it('prints a line when something changed, and again only when it comes back', () => {
    const { out, written } = sink();
    const display = linesDisplay(out);
    const down: AgentEvent = { type: 'network', network: { kind: 'no-link', cards: ['eth0'] } };
    for (const state of [reduced(up), reduced(up), reduced(up, down), reduced(up, down, up)]) display.show(state, 0);
    const lines = written
      .join('')
      .split('\r\n')
      .filter((line) => line.includes('network='));
    expect(lines.map((line) => /network=(\S+)/.exec(line)?.[1])).toEqual(['up', 'no-link', 'up']);
  });
});
