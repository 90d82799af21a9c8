import { describe, expect, it } from 'vitest';
import type { ImageLock, LockedPackage } from '../lock-file.ts';
import { differenceOf, isUpdate } from './difference.ts';
import { formatUpdate } from './format.ts';
import type { UpdateNews } from './news.ts';
import { pcrReasons } from './pcr-reasons.ts';
import { parseSbat, sbatChanges } from './sbat.ts';

const one = (name: string, version: string, roles: LockedPackage['roles'], sizeBytes = 100): LockedPackage => ({
  name,
  version,
  archive: 'debian',
  path: `pool/main/x/${name}/${name}_${version}_amd64.deb`,
  sizeBytes,
  sha256: Buffer.from(`${name}${version}`).toString('hex').padEnd(64, '0').slice(0, 64),
  roles,
});

const lock = (packages: LockedPackage[], others: Partial<ImageLock> = {}): ImageLock => ({
  format: 'cpushare-image-lock',
  version: 1,
  imageSpecSha256: 'a'.repeat(64),
  sourceDateEpoch: 1,
  indexes: [],
  packages,
  ...others,
});

const between = (before: LockedPackage[], after: LockedPackage[], others: Partial<ImageLock> = {}) =>
  differenceOf(lock(before), lock(after, others));

const noNews: UpdateNews = { sources: [], loaders: [], mokChanged: undefined };
const kinds = (before: LockedPackage[], after: LockedPackage[]) =>
  between(before, after).changes.map(({ name, kind, measured }) => [name, kind, measured]);

describe('differenceOf', () => {
  it('names each kind of change, and whether the measured image has it', () => {
    expect(
      kinds(
        [one('aa', '1', ['root']), one('bb', '1', ['tools']), one('cc', '2', ['root']), one('same', '1', ['root'])],
        [
          one('aa', '2', ['root']),
          one('cc', '1', ['root', 'tools']),
          one('dd', '1', ['tools']),
          one('same', '1', ['root']),
        ],
      ),
    ).toEqual([
      ['aa', 'upgraded', true],
      ['bb', 'removed', false],
      ['cc', 'downgraded', true],
      ['dd', 'added', false],
    ]);
  });

  it('sees other bytes under the same version, and other uses of the same bytes', () => {
    const aa = one('aa', '1', ['root']);
    expect(kinds([aa], [{ ...aa, sha256: 'f'.repeat(64) }])).toEqual([['aa', 'replaced', true]]);
    expect(kinds([one('aa', '1', ['tools'])], [one('aa', '1', ['tools', 'root'])])).toEqual([['aa', 'moved', true]]);
    expect(kinds([one('aa', '1', ['root', 'tools'])], [one('aa', '1', ['tools', 'root'])])).toEqual([]);
  });

  it('takes a kernel of another name for the new one of the old', () => {
    const before = one('linux-image-6.12.1-amd64', '6.12.1-1', ['kernel']);
    const after = one('linux-image-6.12.2-amd64', '6.12.2-1', ['kernel']);
    expect(kinds([before], [after])).toEqual([['linux-image-6.12.2-amd64', 'upgraded', true]]);
    expect(formatUpdate(between([before], [after]), noNews)).toContain(
      'upgraded    linux-image-6.12.1-amd64 → linux-image-6.12.2-amd64 6.12.1-1 → 6.12.2-1 (+0 bytes)',
    );
  });

  it('adds up the sizes of each group', () => {
    const difference = between(
      [one('aa', '1', ['root'], 1000), one('bb', '1', ['tools'], 50)],
      [one('aa', '2', ['root'], 900), one('bb', '1', ['tools'], 50)],
    );
    expect(difference.sizes).toEqual({
      measured: { beforeBytes: 1000, afterBytes: 900 },
      tools: { beforeBytes: 50, afterBytes: 50 },
    });
  });

  it('is no update when only the day differs, and one when image.json does', () => {
    const same = [one('aa', '1', ['root'])];
    expect(isUpdate(between(same, same, { sourceDateEpoch: 2 }))).toBe(false);
    expect(isUpdate(between(same, same, { imageSpecSha256: 'b'.repeat(64) }))).toBe(true);
  });
});

describe('pcrReasons', () => {
  const registers = (before: LockedPackage[], after: LockedPackage[], mok?: boolean, others: Partial<ImageLock> = {}) =>
    pcrReasons(between(before, after, others), mok).map(({ pcrs }) => pcrs);
  const upgraded = (name: string, role: LockedPackage['roles'][number]) =>
    [[one(name, '1', [role])], [one(name, '2', [role])]] as const;

  it.each([
    { what: 'shim with other keys', of: upgraded('shim-signed', 'boot'), mok: true, expected: [[4], [14]] },
    { what: 'shim with the same keys', of: upgraded('shim-signed', 'boot'), mok: false, expected: [[4]] },
    { what: 'a shim that was not read', of: upgraded('shim-signed', 'boot'), mok: undefined, expected: [[4], [14]] },
    { what: 'GRUB', of: upgraded('grub-efi-amd64-signed', 'boot'), expected: [[4]] },
    { what: 'GRUB for BIOS', of: upgraded('grub-pc-bin', 'boot'), expected: [[]] },
    { what: 'the kernel', of: upgraded('linux-image-6-amd64', 'kernel'), expected: [[4, 9, 10]] },
    { what: 'a program of the root', of: upgraded('nodejs', 'root'), expected: [[9]] },
    { what: 'a build tool', of: upgraded('zstd', 'tools'), expected: [[9]] },
  ])('$what', ({ of: [before, after], mok, expected }) => {
    expect(registers([...before], [...after], mok)).toEqual(expected);
  });

  it('image.json and the archive’s date', () => {
    expect(registers([], [], false, { imageSpecSha256: 'b'.repeat(64) })).toEqual([[8, 9]]);
    expect(registers([], [], false, { sourceDateEpoch: 2 })).toEqual([[8, 9]]);
  });
});

describe('SBAT', () => {
  const levels = (shim: number) =>
    parseSbat(
      `sbat,1,SBAT Version,sbat,1,https://example.org\nshim,${shim},UEFI shim,shim,1,https://example.org\n\0\0`,
    );

  it('names the component and both generations', () => {
    expect([...levels(4)]).toEqual([
      ['sbat', 1],
      ['shim', 4],
    ]);
    expect(sbatChanges(levels(4), levels(5))).toEqual(['shim 4 → 5']);
    expect(sbatChanges(levels(4), levels(4))).toEqual([]);
    expect(sbatChanges(levels(4), parseSbat('sbat,1,\ngrub,5,'))).toEqual(['shim 4 → none', 'grub none → 5']);
  });

  it('passes over lines that are none', () => {
    expect([...parseSbat('\nshim\n,1\nx\u001b[31m,1\nshim,-1\nshim,99999999999\nok,2')]).toEqual([['ok', 2]]);
  });
});

describe('formatUpdate', () => {
  it('shows groups, fixes, levels and registers', () => {
    const before = one('nodejs', '20.1', ['root'], 1_048_576);
    const after = one('nodejs', '20.2', ['root'], 1_048_586);
    const text = formatUpdate(between([before], [after, one('zstd', '1', ['tools'], 7)]), {
      sources: [
        {
          source: 'nodejs',
          change: { name: 'nodejs', kind: 'upgraded', measured: true, before, after },
          news: {
            comparable: true,
            entries: [
              {
                source: 'nodejs',
                version: '20.2',
                distributions: ['trixie-security'],
                urgency: 'high',
                binaryOnly: false,
                cves: Array.from({ length: 10 }, (_, index) => `CVE-2026-100${index}`),
              },
            ],
          },
        },
      ],
      loaders: [{ name: 'shim-signed', sbat: ['shim 4 → 5'] }],
      mokChanged: false,
    });
    expect(text.split('\n')).toEqual([
      'In the measured image: 1.0 → 1.0 MiB of packages (+10 bytes)',
      '  upgraded    nodejs 20.1 → 20.2 (+10 bytes)',
      '',
      'Build tools only: 0.0 → 0.0 MiB of packages (+7 bytes)',
      '  added       zstd 1 (7 bytes)',
      '',
      'What is new, by source package',
      `  nodejs: SECURITY, urgency high, ${Array.from({ length: 8 }, (_, index) => `CVE-2026-100${index}`).join(' ')} and 2 more`,
      '',
      'SBAT levels',
      '  shim-signed: shim 4 → 5',
      '',
      'Registers (PCR) that get new values',
      '  9: the root file system lies in the initrd: nodejs',
      '  9: build tools may pack the same files into other bytes of the initrd: zstd',
    ]);
  });
});
