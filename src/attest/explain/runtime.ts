/** What the running system measured: kernel modules by IMA (register 10), the seller's configuration (register 12). */
import { equalBytes, toHex } from '../../shared/bytes.ts';
import type { AttestCrypto } from '../crypto/crypto.ts';
import { extend, initialPcr } from '../event-log/replay.ts';
import { CONFIGURATION_PCR, type Evidence } from '../evidence.ts';
import { IMA_PCR, type ImaEntry, ImaLogError, parseImaLog, provenImaEntries } from '../image/ima-log.ts';
import type { ReferenceValues } from '../image/reference-values.ts';
import { type Change, differing, type Rule, someOf } from './change.ts';
import type { Pair } from './compare.ts';
import type { Measurement } from './measurement.ts';

export interface Runtime {
  readonly measurements: readonly Measurement[];
  /** Registers whose record does not lead to the value that was handed over. */
  readonly unexplained: readonly number[];
}

type Crypto = Pick<AttestCrypto, 'hash'>;
const MOST = 4;

export function readRuntime(
  { imaLog, configuration }: Pick<Evidence, 'imaLog' | 'configuration'>,
  pcrs: ReadonlyMap<number, Uint8Array>,
  crypto: Crypto,
): Runtime {
  const modules = readModules(imaLog, pcrs.get(IMA_PCR), crypto);
  const digest = crypto.hash('sha256', configuration);
  const initial = initialPcr(CONFIGURATION_PCR, 'sha256');
  const expected = configuration.length === 0 ? initial : extend(initial, digest, 'sha256', crypto);
  const value = pcrs.get(CONFIGURATION_PCR);
  return {
    measurements: [
      ...(modules ?? []),
      ...(configuration.length === 0 ? [] : [measurement(CONFIGURATION_PCR, digest, "seller's configuration", null)]),
    ],
    unexplained: [
      ...(modules === null ? [IMA_PCR] : []),
      ...(value !== undefined && !equalBytes(value, expected) ? [CONFIGURATION_PCR] : []),
    ],
  };
}

/** Null when the list cannot be read or does not lead to the register. The first entry is a hash over registers 0 to 9. */
function readModules(imaLog: Uint8Array, quoted: Uint8Array | undefined, crypto: Crypto): Measurement[] | null {
  let entries: readonly ImaEntry[];
  try {
    entries = parseImaLog(imaLog);
  } catch (error) {
    if (error instanceof ImaLogError) return null;
    throw error;
  }
  if (quoted === undefined || equalBytes(quoted, initialPcr(IMA_PCR, 'sha256'))) return [];
  const proven = provenImaEntries(entries, quoted, crypto);
  if (proven === null) return null;
  return proven
    .filter(({ file }) => file.path !== 'boot_aggregate')
    .map(({ file }) => measurement(IMA_PCR, file.digest, 'kernel module', file.path));
}

function measurement(pcr: number, digest: Uint8Array, name: string, says: string | null): Measurement {
  return { pcr, digest: toHex(digest), subjects: [name], name, says, proven: false, decoded: null };
}

/** Any of the image's modules may be loaded, in any order; none has to be. */
export function againstReference(runtime: Runtime, reference: ReferenceValues): readonly Pair[] {
  const known = new Set(reference.kernelModules.map(({ sha256 }) => sha256));
  return runtime.measurements
    .filter(({ pcr }) => pcr === IMA_PCR)
    .map((after) => ({ pcr: IMA_PCR, kind: known.has(after.digest) ? 'same' : 'added', before: null, after }));
}

/** As sets: the order in which modules are loaded is chance. */
export function againstEarlier(earlier: Runtime, now: Runtime, pcrs: readonly number[]): readonly Pair[] {
  const [before, after] = [earlier, now].map(({ measurements }) =>
    measurements.filter(({ pcr }) => pcrs.includes(pcr)),
  );
  const had = new Map((before ?? []).map((each) => [each.digest, each]));
  const has = new Set((after ?? []).map(({ digest }) => digest));
  return [
    ...(after ?? []).map((each): Pair => {
      const same = had.get(each.digest);
      return { pcr: each.pcr, kind: same === undefined ? 'added' : 'same', before: same ?? null, after: each };
    }),
    ...(before ?? [])
      .filter(({ digest }) => !has.has(digest))
      .map((each): Pair => ({ pcr: each.pcr, kind: 'missing', before: each, after: null })),
  ];
}

export const runtimeRule: Rule = (pairs, { where }) => [...modules(pairs, where), ...configuration(pairs, where)];

function modules(pairs: readonly Pair[], where: string): Change[] {
  const changed = differing(pairs).filter(({ pcr }) => pcr === IMA_PCR);
  const called = (side: 'before' | 'after', kind: Pair['kind']) =>
    changed.filter((pair) => pair.kind === kind).map((pair) => pair[side]?.says ?? 'a file without a name');
  const [came, went] = [called('after', 'added'), called('before', 'missing')];
  if (changed.length === 0) return [];
  const what = [
    ...(came.length === 0 ? [] : [`loaded what calls itself ${someOf(came, MOST)}`]),
    ...(went.length === 0 ? [] : [`did not load ${someOf(went, MOST)}`]),
  ];
  return [
    {
      code: 'KERNEL_MODULES_CHANGED',
      sentence: `The kernel's modules are not those ${where}: it ${what.join(', and ')}.`,
      remedy:
        'Other hardware needs other modules of the image; one that is not of the image gives control over the machine.',
      pairs: changed,
    },
  ];
}

function configuration(pairs: readonly Pair[], where: string): Change[] {
  const changed = differing(pairs).filter(({ pcr }) => pcr === CONFIGURATION_PCR);
  if (changed.length === 0) return [];
  return [
    {
      code: 'CONFIGURATION_CHANGED',
      sentence: `The seller's configuration is not the one ${where}.`,
      remedy: 'Nothing to do when the seller changed it: it chooses the broker, the account, prices and limits.',
      pairs: changed,
    },
  ];
}
