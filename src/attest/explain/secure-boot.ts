/** Secure Boot's switch, its keys, and the certificates that verified what was started (register 7). */
import { toHex } from '../../shared/bytes.ts';
import { certificateSubject } from '../event-log/certificate-subject.ts';
import { EventType } from '../event-log/event-types.ts';
import { variableContent } from '../event-log/variable-content.ts';
import { type Baseline, type Change, named, type Rule, sentenceList, someOf } from './change.ts';
import type { Pair } from './compare.ts';
import type { Measurement } from './measurement.ts';

const PCR = 7;
const MOST = 4;

export const secureBootRule: Rule = (pairs, baseline) => [
  ...switched(pairs, baseline),
  ...keys(pairs, baseline),
  ...authorities(pairs, baseline),
];

function switched(pairs: readonly Pair[], { where }: Baseline): Change[] {
  return named(pairs, PCR, 'variable SecureBoot').map((pair) => {
    const on = bytesOf(pair.after)?.[0] === 1;
    if (on) {
      return {
        code: 'SECURE_BOOT_SWITCHED_ON',
        sentence: `Secure Boot was switched on; it was off ${where}.`,
        remedy: 'Nothing to do.',
        pairs: [pair],
      };
    }
    return {
      code: 'SECURE_BOOT_SWITCHED_OFF',
      sentence: `Secure Boot was switched off; it was on ${where}.`,
      remedy: 'Switch Secure Boot on in the firmware setup, then start the machine again.',
      pairs: [pair],
    };
  });
}

function keys(pairs: readonly Pair[], { where }: Baseline): Change[] {
  return named(pairs, PCR, /^variable (PK|KEK|db)$/)
    .filter((pair) => !isAuthority(pair))
    .map((pair): Change => {
      const name = (pair.after ?? pair.before)?.name.replace('variable ', '') ?? '';
      if (name === 'PK' && (pair.after === null || bytesOf(pair.after)?.length === 0)) {
        return {
          code: 'SETUP_MODE_ENTERED',
          sentence: `The platform key is gone, there was one ${where}: the firmware is in setup mode, where anybody may change its keys.`,
          remedy: "Restore the maker's keys in the firmware setup.",
          pairs: [pair],
        };
      }
      const { added, removed } = entryChanges(pair);
      const what = [
        ...(added.length === 0 ? [] : [`added ${someOf(added, MOST)}`]),
        ...(removed.length === 0 ? [] : [`removed ${someOf(removed, MOST)}`]),
      ];
      return {
        code: 'SECURE_BOOT_KEYS_CHANGED',
        sentence: `Secure Boot's keys in ${name} are not those ${where}${what.length === 0 ? '' : `: ${what.join('; ')}`}.`,
        remedy: "Ask the machine's owner whether he enrolled keys, or restore the maker's keys in the firmware setup.",
        pairs: [pair],
      };
    });
}

/** Which certificate let a boot loader run; shim's own lists have rules of their own. */
function authorities(pairs: readonly Pair[], { where }: Baseline): Change[] {
  const changed = named(pairs, PCR, /^variable (?!Mok|SbatLevel)/).filter(isAuthority);
  if (changed.length === 0) return [];
  const said = (side: 'before' | 'after') => [
    ...new Set(
      changed.flatMap((pair) => pair[side]?.says ?? []).map((says) => shortName(says.replace('certificate ', ''))),
    ),
  ];
  const [before, after] = [said('before'), said('after')].map((names) =>
    names.length === 0 ? 'none' : sentenceList(names),
  );
  return [
    {
      code: 'BOOT_AUTHORITY_CHANGED',
      sentence:
        before === after
          ? `What was started is vouched for by the same certificates as ${where} (${after}), measured in another form.`
          : `What was started is vouched for by other certificates than ${where}: ${after}, before ${before}.`,
      remedy: 'A boot loader signed by another authority was started: check what medium the machine booted from.',
      pairs: changed,
    },
  ];
}

export function isAuthority({ before, after }: Pair): boolean {
  return (after ?? before)?.decoded?.event.type === EventType.EFI_VARIABLE_AUTHORITY;
}

function bytesOf(measurement: Measurement | null): Uint8Array | null {
  const detail = measurement?.decoded?.detail;
  return detail?.kind === 'variable' ? detail.variable.value : null;
}

/** Entries of signature lists that came and went: certificates by their subject, hashes as they are. */
export function entryChanges({ before, after }: Pair): { readonly added: string[]; readonly removed: string[] } {
  const [old, now] = [entriesOf(before), entriesOf(after)];
  const only = (a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>) =>
    [...a].filter(([key]) => !b.has(key)).map(([, text]) => text);
  return { added: only(now, old), removed: only(old, now) };
}

function entriesOf(measurement: Measurement | null): ReadonlyMap<string, string> {
  const decoded = measurement?.decoded;
  if (decoded?.detail.kind !== 'variable') return new Map();
  const content = variableContent(decoded.detail.variable, decoded.event.type);
  if (content.kind !== 'signature-lists') return new Map();
  const entries = content.lists.flatMap(({ type, entries }) => entries.map(({ data }) => ({ type, data })));
  return new Map(
    entries.map(({ type, data }) => {
      const hex = toHex(data);
      const subject = type === 'x509' ? certificateSubject(data) : null;
      return [hex, subject === null ? `${type} ${hex.slice(0, 16)}…` : `certificate ${shortName(subject)}`];
    }),
  );
}

/** The part of a subject that a person would call it by. */
function shortName(subject: string): string {
  const part = (key: string) => new RegExp(`(?:^|, )${key}=(.*?)(?:, [A-Z0-9.]+=|$)`).exec(subject)?.[1];
  return part('CN') ?? part('OU') ?? part('O') ?? subject;
}
