import { describe, expect, it } from 'vitest';
import { type FolderRecord, folderRecords, rootFolder, SECTOR_BYTES } from './iso9660-records.ts';

interface Given {
  readonly identifier: string;
  readonly flags?: number;
  /** Entries of the system use area. */
  readonly systemUse?: readonly number[];
}

/** ECMA-119 §9.1, at sector 0x1234 with 0x5678 bytes. */
function record({ identifier, flags = 0, systemUse = [] }: Given): Uint8Array {
  const padding = identifier.length % 2 === 0 ? 1 : 0;
  const length = 33 + identifier.length + padding + systemUse.length;
  const bytes = new Uint8Array(length);
  bytes.set([length, 0, 0x34, 0x12, 0, 0, 0, 0, 0x12, 0x34, 0x78, 0x56]);
  bytes[25] = flags;
  bytes[32] = identifier.length;
  bytes.set(Buffer.from(identifier, 'latin1'), 33);
  bytes.set(systemUse, 33 + identifier.length + padding);
  return bytes;
}

const entry = (type: string, ...data: number[]) => [...Buffer.from(type), 4 + data.length, 1, ...data];
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1');
const damaged = (what: string) => new Error(`damaged: ${what}`);
const read = (bytes: Uint8Array): FolderRecord[] => [...folderRecords(bytes, damaged)];

describe('the records of a folder', () => {
  it.each(['A', 'AB'])('are read field by field (%s: the system use area begins at an even place)', (identifier) => {
    const systemUse = [...entry('PX', 1, 2), ...entry('NM', 1, ...Buffer.from('long ')), ...entry('NM', 0, 110)];
    const [found] = read(record({ identifier, flags: 0x80, systemUse }));
    expect(text(found?.identifier ?? new Uint8Array())).toBe(identifier);
    expect(text(found?.longName ?? new Uint8Array())).toBe('long n');
    expect(found).toMatchObject({ isFolder: false, isContinued: true });
    expect(found?.extent).toEqual({ start: 0x1234 * SECTOR_BYTES, sizeBytes: 0x5678 });
  });

  it('go on in the next sector after a zero', () => {
    const folder = new Uint8Array(2 * SECTOR_BYTES);
    folder.set(record({ identifier: '\0', flags: 2 }));
    folder.set(record({ identifier: 'SECOND' }), SECTOR_BYTES);
    expect(read(folder).map(({ identifier, isFolder }) => [text(identifier), isFolder])).toEqual([
      ['\0', true],
      ['SECOND', false],
    ]);
  });

  it('are refused when cut at any length', () => {
    const whole = record({ identifier: 'NAME', systemUse: entry('NM', 0, 110) });
    for (let length = 1; length < whole.length; length += 1) {
      expect(() => read(whole.subarray(0, length)), String(length)).toThrow(/damaged: a folder record of \d+ bytes/);
    }
  });

  it.each([
    { name: 'a record shorter than its fixed part', change: (bytes: Uint8Array) => bytes.fill(33, 0, 1) },
    { name: 'a name longer than its record', change: (bytes: Uint8Array) => bytes.fill(200, 32, 33) },
  ])('are refused with $name', ({ change }) => {
    const bytes = record({ identifier: 'NAME' });
    change(bytes);
    expect(() => read(bytes)).toThrow('damaged: a folder record of');
  });

  it.each([
    { name: 'shorter than its own head', systemUse: [0x4e, 0x4d, 3, 1, 0, 97] },
    { name: 'longer than the area', systemUse: [0x4e, 0x4d, 9, 1, 0, 97] },
  ])('give no long name for an entry $name', ({ systemUse }) => {
    expect(read(record({ identifier: 'A', systemUse }))[0]?.longName).toHaveLength(0);
  });
});

it('the root folder is named in the volume descriptor', () => {
  const descriptor = new Uint8Array(SECTOR_BYTES);
  descriptor.set(record({ identifier: '\0', flags: 2 }), 156);
  expect(rootFolder(descriptor)).toEqual({ start: 0x1234 * SECTOR_BYTES, sizeBytes: 0x5678 });
});
