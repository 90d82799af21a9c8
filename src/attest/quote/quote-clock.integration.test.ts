/** The rules against a real software TPM, through what happens to one: sleep, restart, power cut, clearing, a state put back. */
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tpmsAttest } from 'tpm2-ts/attest';
import { type Ak, createAk, quote } from 'tpm2-ts/attester';
import { decode } from 'tpm2-ts/codec';
import type { Tpm } from 'tpm2-ts/command';
import { flushContext } from 'tpm2-ts/commands-context';
import { createPrimary } from 'tpm2-ts/commands-keys';
import { shutdown, startup } from 'tpm2-ts/commands-state';
import { RH } from 'tpm2-ts/constants';
import { akTemplate } from 'tpm2-ts/templates';
import { startTestTpm, type TestTpm } from 'tpm2-ts/testing/swtpm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { clockFindings } from './judge-quote-clock.ts';
import { describeBetween, type QuoteClock, quoteClockOf } from './quote-clock.ts';

let machine: TestTpm;
beforeAll(async () => {
  machine = await startTestTpm();
});
afterAll(() => machine?.stop());

async function using<T>(work: (tpm: Tpm) => Promise<T>): Promise<T> {
  const tpm = await machine.open();
  try {
    return await work(tpm);
  } finally {
    await tpm.close();
  }
}

const SELECTION = [{ hash: 'sha256', pcrs: [0] }] as const;
async function clockBy(tpm: Tpm, ak: Ak, obfuscated: boolean): Promise<QuoteClock> {
  const attested = decode(tpmsAttest, (await quote(tpm, ak, SELECTION, new Uint8Array(32))).quoted);
  return quoteClockOf(attested, obfuscated);
}

const clockNow = (): Promise<QuoteClock> =>
  using(async (tpm) => {
    const ak = await createAk(tpm, 'ecc');
    return clockBy(tpm, ak, false).finally(() => ak.flush());
  });

async function off(how: 'orderly' | 'sleep' | 'power cut'): Promise<void> {
  if (how !== 'power cut') await using((tpm) => shutdown(tpm, how === 'sleep' ? 'state' : 'clear'));
  await machine.losePower();
}
const on = (): Promise<void> => using((tpm) => startup(tpm, 'clear'));
const codes = (now: QuoteClock, last: QuoteClock) => clockFindings(now, last).map(({ failure }) => failure.code);

it('goes on through sleep, restart and power cut; does not after clearing, nor when an old state is put back', async () => {
  const first = await clockNow();
  const second = await clockNow();
  expect(codes(second, first)).toEqual([]);
  expect(codes({ ...first, clockMs: `${BigInt(second.clockMs) - 1n}` }, second)).toContain('QUOTE_CLOCK_BACKWARDS');

  const state = join(machine.folder, 'tpm2-00.permall');
  await off('orderly');
  await copyFile(state, `${state}.kept`);
  await on();
  const restarted = await clockNow();
  expect(codes(restarted, second)).toEqual([]);
  expect(restarted.resetCount).toBe(second.resetCount + 1);
  expect(describeBetween(second, restarted)).toContain('its TPM was reset once');

  await off('sleep');
  await on();
  const woken = await clockNow();
  expect(codes(woken, restarted)).toEqual([]);
  expect(woken).toMatchObject({ resetCount: restarted.resetCount, restartCount: restarted.restartCount + 1 });

  await off('power cut');
  await on();
  const cut = await clockNow();
  expect(codes(cut, woken)).toEqual(['QUOTE_CLOCK_UNSAFE']);
  expect(cut).toMatchObject({ resetCount: woken.resetCount + 1, restartCount: 0, safe: false });

  await off('orderly');
  await copyFile(`${state}.kept`, state);
  await machine.losePower();
  await on();
  const restored = await clockNow();
  expect(codes(restored, cut)).toContain('QUOTE_CLOCK_BACKWARDS');

  await off('orderly');
  await on();
  await machine.tool('tpm2_clear', '-c', 'p');
  const cleared = await clockNow();
  expect(cleared.resetCount).toBe(0);
  expect(codes(cleared, restored)).toContain('QUOTE_CLOCK_BACKWARDS');
});

it('a key of the owner tells the clock, and counts and firmware version with a secret added', async () => {
  const plain = await clockNow();
  const owners = await using(async (tpm) => {
    const made = await createPrimary(tpm, { hierarchy: RH.owner, template: akTemplate('ecc', 'of the owner') });
    const flush = () => flushContext(tpm, made.handle);
    return clockBy(tpm, { ...made, kind: 'ecc', flush }, true).finally(flush);
  });
  expect(BigInt(owners.clockMs)).toBeGreaterThanOrEqual(BigInt(plain.clockMs));
  expect(owners.firmwareVersion).not.toBe(plain.firmwareVersion);
  expect([owners.resetCount, owners.restartCount]).not.toEqual([plain.resetCount, plain.restartCount]);
  expect(codes({ ...owners, safe: true }, plain)).toEqual([]);
});
