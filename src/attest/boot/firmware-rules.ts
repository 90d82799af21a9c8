/** What of the profile a log must keep, and which of its oddities a policy overlooks. */
import { equalBytes } from '../../shared/bytes.ts';
import type { DecodedEvent } from '../event-log/decode.ts';
import { EventType } from '../event-log/event-types.ts';
import type { Failure } from '../ledger.ts';
import type { RefusalCode } from '../refusal-codes.ts';
import { separatorOddity } from './firmware-oddities.ts';
import type { UsedWorkaround, WorkaroundName } from './firmware-workaround-names.ts';
import { FIRMWARE_WORKAROUNDS } from './firmware-workarounds.ts';

const FIRMWARE_PCRS = [0, 1, 2, 3, 4, 5, 6, 7] as const;

/** Register 7 is judged with the rest of it (secure-boot.ts). */
const JUDGED_ELSEWHERE: readonly WorkaroundName[] = ['dma-protection-disabled', 'uefi-debug-mode'];
/** Those that break a rule outright; the others are what firmware of a kind does. */
const BREAKS_A_RULE: readonly WorkaroundName[] = ['no-action-with-digest', 'separator-repeated'];
const WRONG_SEPARATOR: readonly WorkaroundName[] = [
  'separator-windows-wbcl',
  'separator-one-byte',
  'separator-skiboot',
];

/** Null when the policy overlooks each oddity that was found. */
export function oddityFailure(oddities: readonly UsedWorkaround[], allowed: readonly WorkaroundName[]): Failure | null {
  const refused = oddities.find(({ name }) => !allowed.includes(name) && !JUDGED_ELSEWHERE.includes(name));
  if (refused === undefined) return null;
  const { mayHide, because } = FIRMWARE_WORKAROUNDS[refused.name];
  const stake = mayHide === null ? 'Nothing can hide behind it' : `It may hide ${mayHide}`;
  return {
    code: codeOf(refused.name),
    family: BREAKS_A_RULE.includes(refused.name) ? 'false' : 'policy',
    sentence: `${refused.sentence.slice(0, -1)}, and the policy does not overlook that.`,
    remedy: `Update the machine's firmware; or name "${refused.name}" in the policy's firmwareWorkarounds. ${stake}: ${because}`,
  };
}

function codeOf(name: WorkaroundName): RefusalCode {
  if (BREAKS_A_RULE.includes(name)) return 'EVENT_LOG_RULE_BROKEN';
  return WRONG_SEPARATOR.includes(name) ? 'FIRMWARE_REPORTED_ERROR' : 'FIRMWARE_WORKAROUND_REFUSED';
}

/** At least one separator per firmware register, none of them an error, all of a register the same. */
export function separatorFailure(events: readonly DecodedEvent[], allowed: readonly WorkaroundName[]): Failure | null {
  const first = new Map<number, DecodedEvent>();
  for (const decoded of events) {
    const { event } = decoded;
    if (event.type !== EventType.SEPARATOR || event.pcr > FIRMWARE_PCRS.length - 1) continue;
    const before = first.get(event.pcr);
    if (before !== undefined && !equalBytes(before.event.data, event.data)) {
      return rule(`Register ${event.pcr} has separators that contradict each other.`);
    }
    first.set(event.pcr, decoded);
    const oddity = separatorOddity(decoded);
    const { trust, detail } = decoded;
    const isGood = trust === 'bound' && detail.kind === 'separator' && detail.meaning === 'ok';
    if (isGood || (oddity !== null && allowed.includes(oddity))) continue;
    return {
      code: 'FIRMWARE_REPORTED_ERROR',
      family: 'policy',
      sentence: `The separator of register ${event.pcr} is not the one of a boot without errors.`,
    };
  }
  const missing = FIRMWARE_PCRS.find((index) => !first.has(index));
  return missing === undefined ? null : rule(`Register ${missing} has no separator.`);
}

/** GRUB hashes the text that it writes: in every log seen, a digest beside another text was put there afterwards. */
export function grubTextFailure(events: readonly DecodedEvent[]): Failure | null {
  // what binds an event costs a hash, so it is asked last
  const altered = events.find((decoded) => {
    if (decoded.event.type !== EventType.IPL) return false;
    const { kind } = decoded.detail;
    return (kind === 'grub-command' || kind === 'kernel-command-line') && decoded.trust !== 'bound';
  });
  if (altered === undefined) return null;
  return rule(`Event ${altered.event.number} has a text of GRUB's beside a digest of something else.`);
}

const rule = (sentence: string): Failure => ({ code: 'EVENT_LOG_RULE_BROKEN', family: 'false', sentence });
