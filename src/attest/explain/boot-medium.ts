/** Where the machine booted from: boot order and entries (register 1), partition table (register 5), device path of the boot loader. */
import { type Change, named, type Rule } from './change.ts';
import type { Pair } from './compare.ts';

export const bootMediumRule: Rule = (pairs, { kind, where }) => [
  ...bootOrder(pairs, where),
  ...partitions(pairs, where),
  ...(kind === 'earlier' ? devicePath(pairs, where) : []),
];

function bootOrder(pairs: readonly Pair[], where: string): Change[] {
  const changed = named(pairs, 1, /^variable (Boot(Order|Next|Current|[0-9A-Fa-f]{4})|DriverOrder)$/);
  if (changed.length === 0) return [];
  const order = changed.find(
    ({ after, before }) => (after ?? before)?.name === 'variable BootOrder' && after?.says !== before?.says,
  );
  const sentence =
    order === undefined
      ? `The firmware's list of boot entries is not that ${where} (${changed.length} changed); a stick or disk that comes or goes does this.`
      : `The boot order is ${order.after?.says ?? 'gone'}, ${where} it was ${order.before?.says ?? 'not there'}.`;
  return [
    {
      code: 'BOOT_ORDER_CHANGED',
      sentence,
      remedy: 'Nothing to do: what was started is measured on its own.',
      pairs: changed,
    },
  ];
}

function partitions(pairs: readonly Pair[], where: string): Change[] {
  const changed = named(pairs, 5, 'partition table');
  if (changed.length === 0) return [];
  return [
    {
      code: 'PARTITION_TABLE_CHANGED',
      sentence: `The partition table of the boot disk is not that ${where}: another medium, or partitions were changed.`,
      remedy:
        'Nothing to do when the machine boots from another stick or disk; the image itself is measured on its own.',
      pairs: changed,
    },
  ];
}

/** The path is not covered by the image's digest: the same boot loader from elsewhere is worth a word, and no more. */
function devicePath(pairs: readonly Pair[], where: string): Change[] {
  const image = pairs.find(({ pcr, after }) => pcr === 4 && after?.name === 'image');
  const [before, after] = [mediumOf(image?.before?.says), mediumOf(image?.after?.says)];
  if (image === undefined || before === null || after === null || before === after) return [];
  return [
    {
      code: 'BOOT_MEDIUM_CHANGED',
      sentence: `The machine says it booted from ${after}, ${where} it was ${before}; where a boot loader came from is not proven.`,
      remedy: 'Nothing to do: what was started is measured, wherever it lay.',
      pairs: [],
    },
  ];
}

const MEDIA: readonly (readonly [RegExp, string])[] = [
  [/(^|\/)CDROM\(/, 'a CD or DVD'],
  [/(^|\/)USB\(/i, 'a USB device'],
  [/(^|\/)NVMe\(/i, 'an NVMe disk'],
  [/(^|\/)(MAC|IPv4|IPv6|Uri)\(/i, 'the network'],
  [/(^|\/)Sata\(/i, 'a SATA disk'],
  [/(^|\/)Scsi\(/i, 'a SCSI disk'],
  [/(^|\/)(SD|eMMC)\(/i, 'a memory card'],
  [/^\/?HD\(/i, 'a disk'],
];

function mediumOf(path: string | null | undefined): string | null {
  return path == null ? null : (MEDIA.find(([pattern]) => pattern.test(path))?.[1] ?? null);
}
