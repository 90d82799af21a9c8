/** SBAT levels of a boot loader: the `.sbat` section of its PE file, lines `component,generation,vendor,…` (shim, SBAT.md). */
import { PeError, readSection } from '../pe.ts';

/** Generation by component. */
export type SbatLevels = ReadonlyMap<string, number>;

/** Undefined when the file has none that can be read. */
export function sbatLevels(file: Uint8Array): SbatLevels | undefined {
  try {
    return parseSbat(Buffer.from(readSection(file, '.sbat')).toString('latin1'));
  } catch (error) {
    if (error instanceof PeError) return undefined;
    throw error;
  }
}

export function parseSbat(text: string): SbatLevels {
  const levels = new Map<string, number>();
  for (const line of text.split('\0', 1)[0]?.split('\n') ?? []) {
    const [component = '', generation = ''] = line.split(',');
    if (/^[\x21-\x7e]{1,64}$/.test(component) && /^\d{1,9}$/.test(generation))
      levels.set(component, Number(generation));
  }
  return levels;
}

/** `shim 4 → 5`, for each component that differs. */
export function sbatChanges(before: SbatLevels, after: SbatLevels): string[] {
  return [...new Set([...before.keys(), ...after.keys()])]
    .filter((name) => before.get(name) !== after.get(name))
    .map((name) => `${name} ${before.get(name) ?? 'none'} → ${after.get(name) ?? 'none'}`);
}
