import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { addPartition, HEAD_SECTORS } from './gpt.ts';

const DISK_SECTORS = 20_000;
const wanted = { firstSector: 4096, sectors: 4096, name: 'CPUSHARE', id: new Uint8Array(16).fill(7) };

/** As xorriso writes it: 248 entries from sector 2, of which `used` end before sector 4000. */
function head(used = 3): Buffer {
  const bytes = Buffer.alloc(HEAD_SECTORS * 512);
  bytes.set([0, 0, 2, 0, 0xee, 0, 0, 0, 1, 0, 0, 0, 0, 16, 0, 0], 446);
  const entries = bytes.subarray(1024, 1024 + 248 * 128);
  for (let index = 0; index < used; index += 1) {
    entries.fill(index + 1, index * 128, index * 128 + 32);
    entries.writeBigUInt64LE(BigInt(64 + index), index * 128 + 32);
    entries.writeBigUInt64LE(BigInt(64 + index), index * 128 + 40);
  }
  const header = bytes.subarray(512, 1024);
  header.write('EFI PART\0\0\u0001\0', 0, 'latin1');
  header.writeUInt32LE(92, 12);
  header.writeBigUInt64LE(1n, 24);
  header.writeBigUInt64LE(3999n, 32);
  header.writeBigUInt64LE(64n, 40);
  header.writeBigUInt64LE(3936n, 48);
  header.writeBigUInt64LE(2n, 72);
  header.writeUInt32LE(248, 80);
  header.writeUInt32LE(128, 84);
  header.writeUInt32LE(crc32(entries), 88);
  return sealed(bytes);
}

function sealed(bytes: Buffer): Buffer {
  bytes.writeUInt32LE(0, 512 + 16);
  bytes.writeUInt32LE(crc32(bytes.subarray(512, 512 + 92)), 512 + 16);
  return bytes;
}

describe('one more partition', () => {
  it('stands in the next free entry; nothing else of the entries changes', () => {
    const before = head();
    const { head: after } = addPartition(before, DISK_SECTORS, wanted);
    const entry = Buffer.from(after.subarray(1024 + 3 * 128, 1024 + 4 * 128));
    expect(entry.toString('hex', 0, 16)).toBe('a2a0d0ebe5b9334487c068b6b72699c7');
    expect(entry.readBigUInt64LE(32)).toBe(4096n);
    expect(entry.readBigUInt64LE(40)).toBe(8191n);
    expect(entry.toString('utf16le', 56, 72)).toBe('CPUSHARE');
    expect(Buffer.from(after.subarray(1024, 1024 + 3 * 128)).equals(before.subarray(1024, 1024 + 3 * 128))).toBe(true);
    expect(after.subarray(0, 446)).toEqual(new Uint8Array(before.subarray(0, 446)));
  });

  it('moves the backup to the end of the disk, with checksums of its own', () => {
    const { head: after, backup } = addPartition(head(), DISK_SECTORS, wanted);
    const primary = Buffer.from(after.subarray(512, 604));
    const copy = Buffer.from(backup.subarray(backup.length - 512, backup.length - 420));
    expect([primary.readBigUInt64LE(24), primary.readBigUInt64LE(32)]).toEqual([1n, 19_999n]);
    expect([copy.readBigUInt64LE(24), copy.readBigUInt64LE(32)]).toEqual([19_999n, 1n]);
    expect([primary.readBigUInt64LE(72), copy.readBigUInt64LE(72)]).toEqual([2n, 19_937n]);
    for (const one of [primary, copy]) {
      const stated = one.readUInt32LE(16);
      one.writeUInt32LE(0, 16);
      expect(crc32(one)).toBe(stated);
      expect(one.readUInt32LE(88)).toBe(crc32(backup.subarray(0, 248 * 128)));
    }
  });

  const broken = (change: (bytes: Buffer) => void) => {
    const bytes = head();
    change(bytes);
    return bytes;
  };
  it.each([
    { name: 'no table', given: Buffer.alloc(HEAD_SECTORS * 512), says: 'has none' },
    { name: 'half a head', given: head().subarray(0, 1024), says: 'has none' },
    { name: 'a damaged header', given: broken((bytes) => bytes.writeUInt8(9, 512 + 56)), says: 'checksum' },
    { name: 'a damaged entry', given: broken((bytes) => bytes.writeUInt8(9, 1024)), says: 'entries do not fit' },
    {
      name: 'entries elsewhere',
      given: broken((bytes) => {
        bytes.writeBigUInt64LE(500n, 512 + 72);
        sealed(bytes);
      }),
      says: 'elsewhere',
    },
    { name: 'no free entry', given: head(248), says: 'used' },
  ])('refuses $name', ({ given, says }) => {
    expect(() => addPartition(given, DISK_SECTORS, wanted)).toThrow(
      expect.objectContaining({ code: 'ISO_PARTITION_TABLE', message: expect.stringContaining(says) }),
    );
  });

  it('refuses a disk where partition and backup would meet', () => {
    expect(() => addPartition(head(), 8192 + 63, wanted)).not.toThrow();
    expect(() => addPartition(head(), 8192 + 62, wanted)).toThrow(/no room/);
  });

  it('refuses a place that a partition already has', () => {
    expect(() => addPartition(head(), DISK_SECTORS, { ...wanted, firstSector: 65 })).toThrow(/behind the end/);
  });
});
