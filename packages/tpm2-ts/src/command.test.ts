/** The frame around commands: strict responses, busy TPMs, refusals. The scripted TPM answers with given bytes only. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Tpm } from './command.ts';
import { activateCredential } from './commands-keys.ts';
import { getCapability, getRandom, pcrExtend, pcrRead } from './commands-state.ts';
import { readPcrs } from './facts.ts';
import { hex, toHex } from './testing/vectors.ts';

function scripted(...answers: readonly string[]): Tpm & { readonly sent: string[] } {
  const sent: string[] = [];
  const left = [...answers];
  return {
    sent,
    send: async (command) => {
      sent.push(toHex(command));
      return hex(left.shift() ?? '');
    },
    close: async () => {},
  };
}
const RANDOM = '80010000000e0000000000021234';
const RETRY = '80010000000a00000922';

describe('responses', () => {
  it('sends a whole command and reads a whole response', async () => {
    const tpm = scripted(RANDOM);
    expect(toHex(await getRandom(tpm, 2))).toBe('1234');
    expect(tpm.sent).toEqual(['80010000000c0000017b0002']);
  });

  it.each([
    { name: 'nothing', answer: '', code: 'TRUNCATED' },
    { name: 'half a header', answer: '8001000000', code: 'TRUNCATED' },
    { name: 'a size that is too small', answer: '80010000000d0000000000021234', code: 'BAD_VALUE' },
    { name: 'a size that is too large', answer: '80010000000f0000000000021234', code: 'BAD_VALUE' },
    { name: 'a byte too many', answer: '80010000000f000000000002123400', code: 'TRAILING_BYTES' },
    { name: 'a cut parameter', answer: '80010000000d00000000000212', code: 'TRUNCATED' },
    { name: 'the tag of a session', answer: '80020000000e0000000000021234', code: 'BAD_VALUE' },
    { name: 'a refusal with data', answer: '80010000000b0000010100', code: 'BAD_VALUE' },
  ])('refuses $name', async ({ answer, code }) => {
    await expect(getRandom(scripted(answer), 2)).rejects.toMatchObject({ name: 'TpmCodecError', code });
  });

  it('refuses a capability that was not asked for', async () => {
    const curves = '800100000015000000000000000008' + '00000001' + '0003';
    await expect(getCapability(scripted(curves), { capability: 'handles' })).rejects.toMatchObject({
      code: 'BAD_VALUE',
    });
  });

  it('with a session: the parameter size and the authorization must both fit', async () => {
    const extend = { pcr: 16, digests: [{ hash: 'sha1', digest: new Uint8Array(20) }] } as const;
    await expect(
      pcrExtend(scripted(`800200000013${'00'.repeat(4)}00000000${'0000010000'}`), extend),
    ).resolves.toBeUndefined();
    const wrong = [
      `800200000013${'00'.repeat(4)}00000001${'0000010000'}`,
      `80020000000e${'00'.repeat(4)}00000000`,
      `800200000018${'00'.repeat(4)}00000000${'0000010000'.repeat(2)}`,
    ];
    for (const answer of wrong) {
      await expect(pcrExtend(scripted(answer), extend)).rejects.toMatchObject({ name: 'TpmCodecError' });
    }
  });
});

describe('a digest of the wrong size for its bank', () => {
  it('is refused before anything is sent', async () => {
    const tpm = scripted();
    const extend = pcrExtend(tpm, { pcr: 16, digests: [{ hash: 'sha256', digest: new Uint8Array(20) }] });
    await expect(extend).rejects.toMatchObject({ code: 'BAD_VALUE' });
    expect(tpm.sent).toEqual([]);
  });
});

describe('a credential that is no TPM2B', () => {
  it.each([
    { name: 'blob cut', credentialBlob: '0005aa', encryptedSecret: '0000', path: 'credentialBlob' },
    { name: 'secret with a byte too many', credentialBlob: '0000', encryptedSecret: '000000', path: 'encryptedSecret' },
  ])('$name: refused before anything is sent', async ({ credentialBlob, encryptedSecret, path }) => {
    const tpm = scripted();
    const activation = activateCredential(tpm, {
      akHandle: 1,
      ekHandle: 2,
      ekAuthorization: { kind: 'password' },
      credentialBlob: hex(credentialBlob),
      encryptedSecret: hex(encryptedSecret),
    });
    await expect(activation).rejects.toMatchObject({ name: 'TpmCodecError', path });
    expect(tpm.sent).toEqual([]);
  });
});

describe('registers', () => {
  const answer = (selection: string, ...values: string[]) => {
    const list = values.map((value) => `0014${value}`).join('');
    const body = `00000001${selection}${values.length.toString(16).padStart(8, '0')}${list}`;
    return `8001${(10 + body.length / 2).toString(16).padStart(8, '0')}00000000${body}`;
  };
  const value = '11'.repeat(20);

  it('a TPM that answers with other registers than asked for is refused', async () => {
    const other = answer('00000001000403020000', value);
    await expect(readPcrs(scripted(other), 'sha1', [0])).rejects.toThrow('1 values for PCR 1 where 0 of sha1');
    expect((await pcrRead(scripted(other), [])).values).toHaveLength(1);
  });

  it('a value of another width than the bank is refused', async () => {
    const narrow = answer('00000001000403010000')
      .replace(/00000000$/, `00000001000111`)
      .replace(/^8001.{8}/, '80010000001b');
    await expect(readPcrs(scripted(narrow), 'sha1', [0])).rejects.toMatchObject({ name: 'TpmCodecError' });
  });
});

describe('a busy TPM', () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  it.each(['0922', '0908', '090a'])('that answers 0x%s is asked again with the same command', async (rc) => {
    const tpm = scripted(RETRY.replace('0922', rc), RETRY, RANDOM);
    const answer = getRandom(tpm, 2);
    await vi.runAllTimersAsync();
    expect(toHex(await answer)).toBe('1234');
    expect(new Set(tpm.sent).size).toBe(1);
    expect(tpm.sent).toHaveLength(3);
  });

  it('that never gets ready is given up', async () => {
    const tpm = scripted(...Array.from({ length: 100 }, () => RETRY));
    const answer = expect(getRandom(tpm, 2)).rejects.toMatchObject({ name: 'TPM_RC_RETRY', rc: 0x922 });
    await vi.runAllTimersAsync();
    await answer;
    expect(tpm.sent).toHaveLength(13);
  });

  it('other refusals are final', async () => {
    const tpm = scripted('80010000000a000002c4');
    await expect(getRandom(tpm, 2)).rejects.toMatchObject({ name: 'TPM_RC_VALUE', position: 'parameter 2' });
    expect(tpm.sent).toHaveLength(1);
  });
});
