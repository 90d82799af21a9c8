/**
 * Compares registers 4, 8, 9 and 14 with the reference values, event by event, and names what differs in words. One
 * change shows in several registers (a kernel parameter also changes grub.cfg), so the most telling difference leads.
 */
import { equalBytes, toHex } from '../../shared/bytes.ts';
import type { WorkaroundName } from '../boot/firmware-workaround-names.ts';
import type { DecodedEvent } from '../event-log/decode.ts';
import { EventType } from '../event-log/event-types.ts';
import type { Failure } from '../ledger.ts';
import type { RefusalCode } from '../refusal-codes.ts';
import { OWN_PCRS, type PreparedEvent, type PreparedReference } from './prepared-reference.ts';
import type { ReferenceEvent, ReferenceValues } from './reference-values.ts';

/** Beyond this many events in a register, the difference is named without alignment: alignment costs the square. */
const MAX_ALIGNED = 400;
/** Nothing of our chain measures into these: whatever did is none of ours. 10 and 12 have records of their own. */
const UNUSED_PCRS = [11, 13, 15] as const;

export interface Difference {
  readonly pcr: number;
  readonly component: string;
  readonly kind: 'changed' | 'added' | 'missing';
  readonly expected: string;
  readonly actual: string;
}

/** Most telling first; components that are not listed come after `grub.cfg`. */
const RANK = ['kernel command line', 'GRUB command', 'shim', 'GRUB', 'kernel', 'initrd', 'MOK list', 'grub.cfg'];

/** Empty when the machine ran exactly this image. `overlooked`: the oddities that the policy overlooks and the log has. */
export function compareOwnChain(
  events: readonly DecodedEvent[],
  reference: PreparedReference,
  overlooked: readonly WorkaroundName[],
): readonly Difference[] {
  const actual = new Map<number, DecodedEvent[]>([...OWN_PCRS, ...UNUSED_PCRS].map((pcr) => [pcr, []]));
  for (const decoded of events) {
    if (decoded.event.type !== EventType.NO_ACTION) actual.get(decoded.event.pcr)?.push(decoded);
  }
  const differences: Difference[] = [];
  for (const pcr of OWN_PCRS) {
    const seen = actual.get(pcr) ?? [];
    const wanted = reference.registers.get(pcr) ?? [];
    if (isSame(wanted, seen)) continue;
    const rest = pcr === 4 ? withoutOverlooked(wanted, seen, reference.actions, overlooked) : { wanted, seen };
    if (isSame(rest.wanted, rest.seen)) continue;
    differences.push(
      ...differencesOf(
        pcr,
        rest.wanted.map(({ event }) => event),
        rest.seen,
      ),
    );
  }
  for (const pcr of UNUSED_PCRS) differences.push(...differencesOf(pcr, [], actual.get(pcr) ?? []));
  return differences
    .map((difference, index) => ({ difference, index }))
    .sort((a, b) => rank(a.difference) - rank(b.difference) || a.index - b.index)
    .map(({ difference }) => difference);
}

function isSame(wanted: readonly PreparedEvent[], seen: readonly DecodedEvent[]): boolean {
  if (wanted.length !== seen.length) return false;
  return seen.every((decoded, index) => isDigest(decoded, wanted[index]?.digest));
}

/** Register 4 without the constants that an oddity adds before the first image, or leaves out there. */
function withoutOverlooked(
  wanted: readonly PreparedEvent[],
  seen: readonly DecodedEvent[],
  actions: PreparedReference['actions'],
  overlooked: readonly WorkaroundName[],
): { readonly wanted: readonly PreparedEvent[]; readonly seen: readonly DecodedEvent[] } {
  const [first, ...others] = wanted;
  const isUncalled = overlooked.includes('boot-option-call-not-measured');
  const rest = isUncalled && first !== undefined && equalBytes(first.digest, actions.call) ? others : wanted;
  if (!overlooked.includes('earlier-boot-entry-failed')) return { wanted: rest, seen };
  const kept: DecodedEvent[] = [];
  let isBeforeImages = true;
  for (let index = 0; index < seen.length; index += 1) {
    const decoded = seen[index] as DecodedEvent;
    if (isBeforeImages && isDigest(decoded, actions.return) && isDigest(seen[index + 1], actions.call)) {
      index += 1;
      continue;
    }
    isBeforeImages &&= isDigest(decoded, actions.call) || decoded.event.type === EventType.SEPARATOR;
    kept.push(decoded);
  }
  return { wanted: rest, seen: kept };
}

function isDigest(decoded: DecodedEvent | undefined, digest: Uint8Array | undefined): boolean {
  const own = decoded?.event.digests.get('sha256');
  return own !== undefined && digest !== undefined && equalBytes(own, digest);
}

export function chainFailure(differences: readonly [Difference, ...Difference[]], reference: ReferenceValues): Failure {
  const [first] = differences;
  const others = [...new Set(differences.map((each) => each.component))].filter((each) => each !== first.component);
  const also = others.length === 0 ? '' : ` Also different: ${others.join(', ')}.`;
  return {
    code: codeOf(first.component),
    family: 'policy',
    sentence: `${headline(first)}${also}`,
    remedy: `Start the machine from an unchanged medium of ${reference.image.name} ${reference.image.version}, or judge it with the reference values of the release it runs.`,
    difference: { component: first.component, expected: first.expected, actual: first.actual },
  };
}

function headline(difference: Difference): string {
  const { component, expected, actual } = difference;
  if (difference.kind === 'added') return `${component} added: ${actual}.`;
  if (difference.kind === 'missing') return `${component} missing: expected ${expected}.`;
  return `${component} differs: expected ${expected}, got ${actual}.`;
}

function codeOf(component: string): RefusalCode {
  const codes: { readonly [component: string]: RefusalCode } = {
    'kernel command line': 'KERNEL_COMMAND_LINE_DIFFERS',
    'GRUB command': 'GRUB_COMMAND_DIFFERS',
    shim: 'SHIM_DIFFERS',
    GRUB: 'GRUB_DIFFERS',
    kernel: 'KERNEL_DIFFERS',
    initrd: 'INITRD_DIFFERS',
    'MOK list': 'MOK_LIST_DIFFERS',
    'grub.cfg': 'GRUB_CONFIG_DIFFERS',
  };
  return (Object.hasOwn(codes, component) ? codes[component] : undefined) ?? 'REFERENCE_MISMATCH';
}

function rank({ component, kind, expected }: Difference): number {
  const index = RANK.indexOf(component);
  // `linux …` as a GRUB command repeats the kernel command line: the added or other command is more telling than neither
  const repeated = component === 'GRUB command' && kind === 'changed' && expected.startsWith('"linux ');
  return (index === -1 ? RANK.length : index) + (repeated ? RANK.length : 0);
}

function differencesOf(
  pcr: number,
  expected: readonly ReferenceEvent[],
  actual: readonly DecodedEvent[],
): Difference[] {
  const expectedDigests = expected.map((event) => event.digest);
  const actualDigests = actual.map(({ event }) => toHex(event.digests.get('sha256') ?? new Uint8Array()));
  const differences: Difference[] = [];
  for (const gap of gaps(expectedDigests, actualDigests)) {
    const wanted = expected.slice(gap.expected[0], gap.expected[1]);
    const seen = actual.slice(gap.actual[0], gap.actual[1]);
    for (const [wantedEvent, seenEvent] of pairUp(wanted, seen)) {
      differences.push(difference(pcr, wantedEvent, seenEvent));
    }
  }
  return differences;
}

/** Within a gap, events of the same component belong together; what is left over was added or is missing. */
function pairUp(
  wanted: readonly ReferenceEvent[],
  seen: readonly DecodedEvent[],
): readonly (readonly [ReferenceEvent | undefined, DecodedEvent | undefined])[] {
  const left = [...seen];
  const pairs: (readonly [ReferenceEvent | undefined, DecodedEvent | undefined])[] = [];
  for (const event of wanted) {
    const named = left.findIndex((each) => componentOf(each) === event.component);
    // an unnamed event (an image, a file) can only be told by its place
    const index = named !== -1 ? named : left.findIndex((each) => componentOf(each) === null);
    pairs.push([event, index === -1 ? undefined : left.splice(index, 1)[0]]);
  }
  return [...pairs, ...left.map((event) => [undefined, event] as const)];
}

function difference(pcr: number, wanted: ReferenceEvent | undefined, seen: DecodedEvent | undefined): Difference {
  const component =
    wanted?.component ?? (seen === undefined ? null : componentOf(seen)) ?? `measurement in register ${pcr}`;
  const expected =
    wanted === undefined ? 'nothing' : wanted.text === undefined ? wanted.digest : JSON.stringify(wanted.text);
  const actual = seen === undefined ? 'nothing' : actualText(seen);
  return {
    pcr,
    component,
    kind: wanted === undefined ? 'added' : seen === undefined ? 'missing' : 'changed',
    expected,
    actual,
  };
}

/** Text only where the digest binds it; a file is known by its digest. */
function actualText({ event, detail, trust }: DecodedEvent): string {
  if (trust === 'bound' && 'text' in detail) return JSON.stringify(detail.text);
  return toHex(event.digests.get('sha256') ?? new Uint8Array());
}

/** What the event calls itself: enough to name a difference, never to accept one. */
function componentOf({ detail, trust }: DecodedEvent): string | null {
  if (detail.kind === 'initrd') return 'initrd';
  if (trust !== 'bound') return null;
  if (detail.kind === 'grub-command') return 'GRUB command';
  if (detail.kind === 'kernel-command-line') return 'kernel command line';
  return null;
}

interface Gap {
  readonly expected: readonly [number, number];
  readonly actual: readonly [number, number];
}

/** Stretches between the longest common subsequence of two digest lists. */
function gaps(expected: readonly string[], actual: readonly string[]): Gap[] {
  let head = 0;
  while (head < expected.length && head < actual.length && expected[head] === actual[head]) head += 1;
  if (head === expected.length && head === actual.length) return [];
  if (expected.length > MAX_ALIGNED || actual.length > MAX_ALIGNED) {
    return [
      { expected: [head, Math.min(head + 1, expected.length)], actual: [head, Math.min(head + 1, actual.length)] },
    ];
  }
  // longest[i][j]: length of the longest common subsequence of the rests from i and j
  const longest = Array.from({ length: expected.length + 1 }, () => new Uint16Array(actual.length + 1));
  const at = (i: number, j: number): number => longest[i]?.[j] ?? 0;
  for (let i = expected.length - 1; i >= 0; i -= 1) {
    for (let j = actual.length - 1; j >= 0; j -= 1) {
      const row = longest[i];
      if (row !== undefined)
        row[j] = expected[i] === actual[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const result: Gap[] = [];
  let i = 0;
  let j = 0;
  while (i < expected.length || j < actual.length) {
    const [fromI, fromJ] = [i, j];
    while ((i < expected.length || j < actual.length) && !(i < expected.length && expected[i] === actual[j])) {
      if (j >= actual.length || (i < expected.length && at(i + 1, j) >= at(i, j + 1))) i += 1;
      else j += 1;
    }
    if (i > fromI || j > fromJ) result.push({ expected: [fromI, i], actual: [fromJ, j] });
    while (i < expected.length && expected[i] === actual[j]) {
      i += 1;
      j += 1;
    }
  }
  return result;
}
