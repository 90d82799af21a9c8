/** Lists of what may no longer run: the firmware's dbx and shim's SBAT level (register 7). */
import { variableContent } from '../event-log/variable-content.ts';
import { type Change, named, type Rule } from './change.ts';
import type { Measurement } from './measurement.ts';
import { entryChanges } from './secure-boot.ts';

export const revocationsRule: Rule = (pairs, { where }) => [
  ...named(pairs, 7, 'variable dbx').map((pair): Change => {
    const { added, removed } = entryChanges(pair);
    if (removed.length > 0 && added.length === 0) {
      return {
        code: 'DBX_ROLLED_BACK',
        sentence: `The list of revoked boot loaders (dbx) lost ${count(removed)} that it had ${where}: boot loaders known to be broken may run again.`,
        remedy: "Update the dbx again (fwupdmgr update, or the firmware maker's update).",
        pairs: [pair],
      };
    }
    const more = removed.length === 0 ? '' : `, and ${count(removed)} went`;
    return {
      code: 'DBX_UPDATED',
      sentence: `The list of revoked boot loaders (dbx) was updated: ${count(added)} came${more}.`,
      remedy: 'Nothing to do: operating systems and firmware updates do this. Take the new value as known good.',
      pairs: [pair],
    };
  }),
  ...named(pairs, 7, 'variable SbatLevel').map((pair): Change => {
    return {
      code: 'SBAT_LEVEL_CHANGED',
      sentence: `Shim refuses boot loaders by another level (SBAT) than ${where}: ${levelOf(pair.after)}, before ${levelOf(pair.before)}.`,
      remedy: 'Nothing to do when the newer date is the one in use; an older one comes with an older shim.',
      pairs: [pair],
    };
  }),
];

const count = (entries: readonly string[]): string => `${entries.length} ${entries.length === 1 ? 'entry' : 'entries'}`;

/** The date in the first line, `sbat,1,2025021800`. */
function levelOf(measurement: Measurement | null): string {
  const decoded = measurement?.decoded;
  if (decoded?.detail.kind !== 'variable') return 'none';
  const content = variableContent(decoded.detail.variable, decoded.event.type);
  const first = content.kind === 'sbat' ? content.entries[0] : undefined;
  return first === undefined || first.rest === '' ? 'one without a date' : first.rest;
}
