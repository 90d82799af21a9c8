import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AgentEvent, type AgentState, initialState, next } from '../agent/state.ts';
import { SCREEN_STATES } from '../testing/screen-states.ts';
import { linesDisplay, screenDisplay } from './consoles.ts';
import { statusLines } from './status-lines.ts';

const machineId = 'ab'.repeat(32);
const up: AgentEvent = {
  type: 'network',
  network: { kind: 'up', addresses: [{ interface: 'eth0', address: '10.0.2.15' }] },
};
const reduced = (...events: AgentEvent[]): AgentState => events.reduce(next, initialState);

describe('statusLines', () => {
  it('has stable keys for programs', () => {
    const lines = statusLines(reduced(up, { type: 'accepted', machineId, atMs: 1000, nextAttestationMs: 60_000 }));
    expect(lines).toContain('cpushare: network=up address=10.0.2.15');
    expect(lines).toContain(`cpushare: attestation=accepted machine=${machineId} at-ms=1000`);
  });

  it('tells of pairing, and of what buyers ask', () => {
    const lines = (name: string) => statusLines(SCREEN_STATES[name] ?? initialState);
    expect(lines('pair-me')).toContain(
      'cpushare: pairing=waiting code=WDJB-MJHT url=https://broker.example:42007/pair',
    );
    expect(lines('waiting')).toContain('cpushare: pairing=paired account="anna"');
    expect(lines('waiting-emulated')).toContain('cpushare: buyer-check=answering');
    const answered = statusLines(reduced({ type: 'check-begun' }, { type: 'check-ended', answered: true }));
    expect(answered).toContain('cpushare: buyer-checks answered=1');
  });

  it('never breaks a line or its quotes, whatever a message holds', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (message) => {
        const problem = { code: 'X', message, nextStep: 'write the stick again' };
        const state = reduced({ type: 'refused', machineId, atMs: 1000, problem });
        for (const line of statusLines(state)) expect(line).toMatch(/^cpushare: [ -~]+$/);
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
  it('draws the whole screen once, then only the rows that changed, and all of it again each minute', () => {
    const { out, written } = sink();
    const display = screenDisplay(out, { title: 'title' });
    display.show(initialState, 0);
    display.show(initialState, 10);
    display.show(initialState, 1000);
    expect(written).toHaveLength(2);
    expect(written[1]).toContain('\x1b[1;1H');
    expect(written[1]).toContain('running for 1 s');
    expect(written[1]).not.toContain('\x1b[2;1H');
    display.show(initialState, 60_000);
    expect(written[2]).toContain('\x1b[2J');
    expect(written[2]).toContain('\x1b[25;1H');
  });

  it('colours runs of cells and nothing else', () => {
    const { out, written } = sink();
    screenDisplay(out, { title: 'title' }).show(SCREEN_STATES.refused ?? initialState, 200_000);
    const printed = (written[0] ?? '').replaceAll('\x1b%G', '');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what a terminal reads
    const controls = new Set(printed.match(/\x1b\[[?\d;]*[A-Za-z]/g)?.map((found) => found.at(-1)));
    expect([...controls].sort()).toEqual(['H', 'J', 'l', 'm']);
    expect(printed).toContain('\x1b[0;1;31m');
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
