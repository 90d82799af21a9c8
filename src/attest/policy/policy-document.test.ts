/** docs/policy.md says what the code says: its example is a policy, its tables are the tables. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { KNOWN_AUTHORITIES } from '../boot/firmware-authorities.ts';
import { DBX_RELEASES } from '../boot/firmware-revocations.ts';
import { WORKAROUND_NAMES } from '../boot/firmware-workaround-names.ts';
import { FIRMWARE_WORKAROUNDS, ORDINARY_WORKAROUNDS } from '../boot/firmware-workarounds.ts';
import { parsePolicy } from './policy.ts';

const page = readFileSync(new URL('../../../docs/policy.md', import.meta.url), 'utf8');
const rows = page
  .split('\n')
  .filter((line) => line.startsWith('| '))
  .map((line) => line.slice(2, -2).split(' | '));
const section = (title: string): string => page.split(`## ${title}\n`)[1]?.split('\n## ')[0] ?? '';
const rowsOf = (title: string): string[] =>
  section(title)
    .split('\n')
    .filter((line) => line.startsWith('| '));

describe('docs/policy.md', () => {
  it('shows a policy that is one, with the ordinary workarounds', () => {
    const example = /```json\n([\s\S]*?)```/.exec(page)?.[1] ?? '';
    expect(parsePolicy(example).firmwareWorkarounds).toEqual([...ORDINARY_WORKAROUNDS]);
  });

  it('explains every field', () => {
    const fields = rows.map(([name = '']) => name).filter((name) => /^`[a-zA-Z.]+`$/.test(name));
    expect(fields.map((field) => field.slice(1, -1))).toEqual([
      'acceptedTpmClasses',
      'requireSecureBoot',
      'pcrs',
      'banks',
      'firmwareWorkarounds',
      'secureBoot.allowedAuthorities',
      'secureBoot.dbx.minimumEntries',
      'secureBoot.dbx.requiredHashes',
      'secureBoot.dbx.notOlderThan',
      'secureBoot.unknownVariables',
      'clock.unsafe',
      'clock.backwards',
      'clock.firmwareRollback',
      'debugImages',
    ]);
    for (const release of DBX_RELEASES) expect(page).toContain(`\`${release}\``);
  });

  it.each(WORKAROUND_NAMES)('has the row of %s as the table has it', (name) => {
    const { seen, overlooks, because, mayHide } = FIRMWARE_WORKAROUNDS[name];
    const row = rowsOf('Oddities of firmware').find((line) => line.startsWith(`| \`${name}\``)) ?? '';
    for (const sentence of [seen, overlooks, because]) expect(row).toContain(sentence);
    expect(row.includes('_ordinary_')).toBe(ORDINARY_WORKAROUNDS.some((each) => each === name));
    expect(row.toLowerCase()).toContain(mayHide === null ? 'nothing. ' : `**${mayHide}**`);
  });

  it('names each authority that can verify a start, with its fingerprint', () => {
    const shown = rowsOf('Authorities by name').slice(2);
    const known = KNOWN_AUTHORITIES.filter(({ use }) => use === 'db' || use === 'shim');
    expect(shown).toEqual(
      known.map(({ name, vendor, use, sha256 }) => `| ${name} | ${vendor} | ${use} | \`${sha256}\` |`),
    );
  });
});
