/** What changed between what was expected and what was seen, in words: the result of one rule. */
import type { Pair } from './compare.ts';
import type { Measurement } from './measurement.ts';

/** Stable, each with a row in docs/errors.md. */
export type ChangeCode =
  | 'SECURE_BOOT_SWITCHED_OFF'
  | 'SECURE_BOOT_SWITCHED_ON'
  | 'SETUP_MODE_ENTERED'
  | 'SECURE_BOOT_KEYS_CHANGED'
  | 'BOOT_AUTHORITY_CHANGED'
  | 'DBX_UPDATED'
  | 'DBX_ROLLED_BACK'
  | 'SBAT_LEVEL_CHANGED'
  | 'MOK_ENROLLED'
  | 'MOK_LIST_CHANGED'
  | 'MOK_VALIDATION_OFF'
  | 'KERNEL_PARAMETERS_CHANGED'
  | 'KERNEL_UPDATED'
  | 'INITRD_CHANGED'
  | 'BOOT_LOADER_CHANGED'
  | 'GRUB_COMMANDS_CHANGED'
  | 'GRUB_CONFIG_CHANGED'
  | 'BOOT_FILES_CHANGED'
  | 'BOOT_MEDIUM_CHANGED'
  | 'PARTITION_TABLE_CHANGED'
  | 'BOOT_ORDER_CHANGED'
  | 'FIRMWARE_UPDATED'
  | 'FIRMWARE_CODE_CHANGED'
  | 'MICROCODE_UPDATED'
  | 'FIRMWARE_SETTINGS_CHANGED'
  | 'CARD_FIRMWARE_CHANGED'
  | 'KERNEL_MODULES_CHANGED'
  | 'CONFIGURATION_CHANGED'
  | 'OTHER_RELEASE'
  | 'MEASUREMENT_CHANGED';

export interface Change {
  readonly code: ChangeCode;
  readonly sentence: string;
  readonly remedy: string;
  /** The pairs this accounts for; a pair that no rule accounts for ends in MEASUREMENT_CHANGED. */
  readonly pairs: readonly Pair[];
}

/** What was compared with, as it reads in a sentence: `in cpushare-seller 0.1.0`, `at the earlier boot`. */
export interface Baseline {
  readonly kind: 'reference' | 'earlier';
  readonly where: string;
}

/** Pure; looks at the pairs of its subject and leaves the others alone. `pairs` holds the equal ones as well. */
export type Rule = (pairs: readonly Pair[], baseline: Baseline) => readonly Change[];

export const differing = (pairs: readonly Pair[]): readonly Pair[] => pairs.filter(({ kind }) => kind !== 'same');

/** Pairs of a register that differ and whose measurement, on either side, has this name. */
export function named(pairs: readonly Pair[], pcr: number, name: string | RegExp): readonly Pair[] {
  const fits = (each: Measurement | null): boolean =>
    each !== null && (typeof name === 'string' ? each.name === name : name.test(each.name));
  return differing(pairs).filter((pair) => pair.pcr === pcr && (fits(pair.before) || fits(pair.after)));
}

/** At most so many parts are said; a person wants to know what it is about, the table below has them all. */
export function someOf(parts: readonly string[], most: number): string {
  const more = parts.length > most ? [`${parts.length - most} more`] : [];
  return sentenceList([...parts.slice(0, most), ...more]);
}

export const sentenceList = (parts: readonly string[]): string =>
  parts.length < 2 ? parts.join('') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`;
