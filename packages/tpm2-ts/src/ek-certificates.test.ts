/** Finding certificates in what vendors leave in NV: padding, chains over several indexes, indexes that cannot be read. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decode, encode, sizedBytes, u16, u32 } from './codec.ts';
import type { Tpm } from './command.ts';
import { EK_NV } from './constants.ts';
import { chooseEk, readEkCertificates, splitDer } from './ek-certificates.ts';
import { type NvAttributes, nvAttributes, tpm2bNvPublic } from './nv.ts';

/** A SEQUENCE of `size` bytes of content: as much DER as splitting looks at. */
const sequence = (size: number, fill = 0xaa) => {
  const head = size < 256 ? [0x30, 0x81, size] : [0x30, 0x82, size >> 8, size & 0xff];
  return Uint8Array.from([...head, ...new Uint8Array(size).fill(fill)]);
};
const joined = (...parts: readonly Uint8Array[]) => Uint8Array.from(parts.flatMap((part) => [...part]));

describe('splitDer', () => {
  it('takes sequences apart and drops padding', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 128, max: 3000 }), { maxLength: 5 }), fc.nat(500), (sizes, padding) => {
        const certificates = sizes.map((size) => sequence(size));
        for (const byte of [0x00, 0xff]) {
          expect(splitDer(joined(...certificates, new Uint8Array(padding).fill(byte)))).toEqual(certificates);
        }
      }),
    );
  });

  it('leaves out a sequence that is cut', () => {
    const [first, second] = [sequence(300), sequence(200)];
    expect(splitDer(joined(first, second.subarray(0, -1)))).toEqual([first]);
  });
});

interface Index {
  readonly attributes: NvAttributes;
  readonly content: Uint8Array;
}
const NONE = decode(nvAttributes, new Uint8Array(4));
const READABLE = { ...NONE, written: true, authRead: true };

/** A TPM that knows four commands and the given NV indexes; everything else is refused as unknown. */
function tpmWithNv(indexes: ReadonlyMap<number, Index>): Tpm {
  const respond = (tag: number, body: Uint8Array) =>
    joined(encode(u16, tag), encode(u32, 10 + body.length), encode(u32, 0), body);
  const answer = (command: DataView): Uint8Array => {
    const code = command.getUint32(6);
    if (code === 0x17a) {
      const [capability, property] = [command.getUint32(10), command.getUint32(14)];
      const handles = [...indexes.keys()].filter((handle) => handle >= property).sort((a, b) => a - b);
      const shown = capability === 1 ? handles.slice(0, 2).map((handle) => [handle]) : [[0x12c, 64]];
      const more = capability === 1 && handles.length > 2 ? 1 : 0;
      const numbers = [capability, shown.length, ...shown.flat()].map((number) => encode(u32, number));
      return respond(0x8001, joined(Uint8Array.of(more), ...numbers));
    }
    const index = indexes.get(command.getUint32(code === 0x169 ? 10 : 14));
    if (code === 0x169 && index !== undefined) {
      const { attributes, content } = index;
      const nvPublic = { nvIndex: command.getUint32(10), nameAlg: 'sha256', attributes } as const;
      const area = encode(tpm2bNvPublic, { ...nvPublic, authPolicy: new Uint8Array(), dataSize: content.length });
      return respond(0x8001, joined(area, new Uint8Array(2)));
    }
    if (code === 0x14e && index !== undefined) {
      const [size, offset] = [command.getUint16(31), command.getUint16(33)];
      const piece = encode(sizedBytes(2048), index.content.slice(offset, offset + size));
      return respond(0x8002, joined(encode(u32, piece.length), piece, new Uint8Array(5)));
    }
    return Uint8Array.of(0x80, 1, 0, 0, 0, 10, 0, 0, 1, 0x43);
  };
  return {
    send: async (command) => answer(new DataView(command.buffer, command.byteOffset, command.length)),
    close: async () => {},
  };
}

describe('readEkCertificates', () => {
  const leaf = sequence(700);
  const chain = [sequence(900, 1), sequence(600, 2)];
  const chainBytes = joined(...chain);

  it('reads in pieces, over pages of handles, and joins a chain that runs over several indexes', async () => {
    const tpm = tpmWithNv(
      new Map([
        [EK_NV.rsa2048, { attributes: READABLE, content: joined(leaf, new Uint8Array(431)) }],
        [EK_NV.eccP256, { attributes: READABLE, content: leaf }],
        [EK_NV.chainFirst, { attributes: READABLE, content: chainBytes.slice(0, 1000) }],
        [EK_NV.chainFirst + 1, { attributes: READABLE, content: chainBytes.slice(1000) }],
      ]),
    );
    const { certificates, skipped } = await readEkCertificates(tpm);
    expect(skipped).toEqual([]);
    expect(certificates.map(({ kind }) => kind)).toEqual(['ecc', 'rsa', 'chain', 'chain']);
    expect(certificates.map(({ der }) => der)).toEqual([leaf, leaf, ...chain]);
    expect(await chooseEk(tpm)).toEqual({ kind: 'ecc', certificates: [leaf, ...chain] });
  });

  it.each([
    { name: 'unwritten', attributes: { ...NONE, authRead: true }, content: leaf, reason: 'was never written' },
    {
      name: 'locked away',
      attributes: { ...NONE, written: true },
      content: leaf,
      reason: 'may be read neither with its own nor with the owner authorization',
    },
    { name: 'zeros', attributes: READABLE, content: new Uint8Array(700), reason: 'does not hold a DER certificate' },
  ])('passes over an index that is $name, and says why', async ({ attributes, content, reason }) => {
    const tpm = tpmWithNv(
      new Map([
        [EK_NV.rsa2048, { attributes: READABLE, content: leaf }],
        [EK_NV.eccP256, { attributes, content }],
      ]),
    );
    const { certificates, skipped } = await readEkCertificates(tpm);
    expect(certificates.map(({ kind }) => kind)).toEqual(['rsa']);
    expect(skipped).toEqual([{ index: EK_NV.eccP256, reason }]);
    expect((await chooseEk(tpm)).kind).toBe('rsa');
  });

  it('takes the certificate of any template, and names the one it cannot', async () => {
    const stored = [EK_NV.rsa4096High, EK_NV.rsa3072High, EK_NV.eccP521High, EK_NV.sm2High];
    const tpm = tpmWithNv(new Map(stored.map((index) => [index, { attributes: READABLE, content: leaf }])));
    const { certificates, skipped } = await readEkCertificates(tpm);
    expect(certificates.map(({ kind }) => kind)).toEqual(['ecc521High', 'rsa3072High', 'rsa4096High']);
    expect(skipped).toEqual([{ index: EK_NV.sm2High, reason: expect.stringContaining('H-5') }]);
    expect((await chooseEk(tpm)).kind).toBe('ecc521High');
  });

  it('passes over an index that the TPM will not read, or describes in bits that nobody knows', async () => {
    const good = tpmWithNv(
      new Map(
        [EK_NV.rsa2048, EK_NV.eccP256, EK_NV.eccP256High].map((index) => [
          index,
          { attributes: READABLE, content: leaf },
        ]),
      ),
    );
    const odd: Tpm = {
      ...good,
      send: async (command) => {
        const view = new DataView(command.buffer, command.byteOffset);
        const [code, index] = [view.getUint32(6), view.getUint32(10)];
        if (code === 0x14e && index === EK_NV.eccP256) return Uint8Array.of(0x80, 1, 0, 0, 0, 10, 0, 0, 1, 0x49);
        const answer = await good.send(command);
        if (code === 0x169 && index === EK_NV.eccP256High) answer[10 + 2 + 6] = 0xff; // attributes
        return answer;
      },
    };
    const { certificates, skipped } = await readEkCertificates(odd);
    expect(certificates.map(({ kind }) => kind)).toEqual(['rsa']);
    expect(skipped.map(({ reason }) => reason)).toEqual([
      expect.stringContaining('TPM_RC_NV_AUTHORIZATION'),
      expect.stringContaining('reserved bits set'),
    ]);
  });
});
