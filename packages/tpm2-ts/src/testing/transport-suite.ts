/** What every transport must do, run on each of them against a real TPM. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Tpm } from '../command.ts';
import { getRandom, pcrRead, readClock } from '../commands-state.ts';
import { activeBanks, readPcrs, tpmProperties } from '../facts.ts';

export interface TransportUnderTest {
  open(): Promise<Tpm>;
  stop(): Promise<void>;
}

/** @param skipReason when given, the suite is skipped and its title says why */
export function transportSuite(
  name: string,
  start: () => Promise<TransportUnderTest>,
  options: { readonly skipReason?: string | undefined } = {},
): void {
  const title = options.skipReason === undefined ? name : `${name} (skipped: ${options.skipReason})`;
  describe.skipIf(options.skipReason !== undefined)(`transport ${title}`, () => {
    let transport: TransportUnderTest;
    let tpm: Tpm;
    beforeAll(async () => {
      transport = await start();
      tpm = await transport.open();
    });
    afterAll(async () => {
      await tpm?.close();
      await transport?.stop();
    });

    it('carries a command and its response', async () => {
      expect(await getRandom(tpm, 16)).toHaveLength(16);
    });

    it('carries responses of several hundred bytes whole', async () => {
      expect((await tpmProperties(tpm)).family).toBe('2.0');
    });

    it('keeps concurrent commands apart', async () => {
      const sizes = Array.from({ length: 16 }, (_, i) => i + 1);
      const answers = await Promise.all(sizes.map((size) => getRandom(tpm, size)));
      expect(answers.map((answer) => answer.length)).toEqual(sizes);
    });

    it('reads all 24 registers, eight at a time', async () => {
      const [bank] = await activeBanks(tpm);
      expect(bank).toBeDefined();
      const indexes = Array.from({ length: 24 }, (_, i) => i);
      const values = await readPcrs(tpm, bank ?? 'sha256', indexes);
      expect([...values.keys()].sort((a, b) => a - b)).toEqual(indexes);
    });

    it('stays usable after the TPM refused a command', async () => {
      await expect(tpm.send(Uint8Array.of(0x80, 1, 0, 0, 0, 10, 0, 0, 0xff, 0xff))).resolves.toHaveLength(10);
      expect((await readClock(tpm)).clockInfo.resetCount).toBeGreaterThanOrEqual(0);
      expect((await pcrRead(tpm, [])).values).toHaveLength(0);
    });

    it('refuses commands after close, by name', async () => {
      const other = tpm;
      await other.close();
      await other.close();
      await expect(getRandom(other, 8)).rejects.toMatchObject({ name: 'TpmTransportError', code: 'CLOSED' });
      tpm = await transport.open();
      expect(await getRandom(tpm, 8)).toHaveLength(8);
    });
  });
}
