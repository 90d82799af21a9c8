/**
 * The digest rule per type, held against every real log at hand: how often data is bound, and by what. Counted over 87
 * logs when the rules were found; a folder with other logs must show the same pattern.
 */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { nodeAttestCrypto } from '../crypto/crypto-node.ts';
import { decodeEvent } from './decode.ts';
import { eventTypeName } from './event-types.ts';
import { parseEventLog } from './parse.ts';

const vectors = new URL('../../../../shared/vectors/', import.meta.url);
const present = existsSync(vectors);
const index: { eventlog?: string; parse: string }[] = present
  ? JSON.parse(readFileSync(new URL('INDEX.json', vectors), 'utf8'))
  : [];
/** The log that somebody altered on purpose breaks a rule: that is its use. */
const logs = [...new Set(index.filter(({ parse }) => parse === 'ok').flatMap(({ eventlog }) => eventlog ?? []))].filter(
  (log) => !log.includes('Altered'),
);

interface Count {
  readonly all: number;
  readonly bound: { readonly [boundBy: string]: number };
}

function count(): ReadonlyMap<string, Count> {
  const counts = new Map<string, { all: number; bound: Record<string, number> }>();
  for (const log of logs) {
    const { events, banks } = parseEventLog(new Uint8Array(readFileSync(new URL(log, vectors))), { padding: 'allow' });
    const bank = banks.includes('sha256') ? 'sha256' : 'sha1';
    for (const event of events) {
      const { boundBy, detail } = decodeEvent(event, bank, nodeAttestCrypto);
      const name =
        detail.kind === 'grub-command' || detail.kind === 'kernel-command-line'
          ? detail.kind
          : eventTypeName(event.type);
      const of = counts.get(name) ?? { all: 0, bound: {} };
      counts.set(name, of);
      of.all += 1;
      of.bound[boundBy ?? 'nothing'] = (of.bound[boundBy ?? 'nothing'] ?? 0) + 1;
    }
  }
  return counts;
}

/** `share` of all events of the type, at least; the comment is the count over 87 logs. */
const RULES = [
  { type: 'EV_EFI_VARIABLE_DRIVER_CONFIG', by: ['data'], share: 1 }, // 472 of 472
  { type: 'EV_EFI_ACTION', by: ['data'], share: 1 }, // 310 of 310
  { type: 'EV_EFI_GPT_EVENT', by: ['data'], share: 1 }, // 82 of 82
  { type: 'EV_SEPARATOR', by: ['data'], share: 0.98 }, // 731 of 739
  { type: 'EV_EFI_VARIABLE_AUTHORITY', by: ['data', 'cut-data'], share: 1 }, // 102 and 14 of 116
  { type: 'EV_EFI_VARIABLE_BOOT', by: ['data', 'value'], share: 1 }, // 117 and 482 of 599
  { type: 'EV_S_CRTM_VERSION', by: ['data'], share: 0.95 }, // 81 of 85
  { type: 'grub-command', by: ['body'], share: 1 }, // 2099 and 1055
  { type: 'kernel-command-line', by: ['body'], share: 1 }, // 38 and 7
] as const;

/** Digests of these are of something else: not one may be taken for bound. */
const NEVER = [
  'EV_NO_ACTION',
  'EV_EFI_BOOT_SERVICES_APPLICATION', // 0 of 199
  'EV_EFI_BOOT_SERVICES_DRIVER',
  'EV_EFI_PLATFORM_FIRMWARE_BLOB',
  'EV_EFI_HANDOFF_TABLES',
  'EV_POST_CODE',
  'EV_S_CRTM_CONTENTS',
  'EV_CPU_MICROCODE',
] as const;

describe.skipIf(!present)(present ? 'digests of real logs' : 'digests of real logs (skipped: no vectors)', () => {
  const counts = present ? count() : new Map<string, Count>();

  it.each(RULES)('bind $type', ({ type, by, share }) => {
    const { all, bound } = counts.get(type) ?? { all: 0, bound: {} as Count['bound'] };
    expect(all).toBeGreaterThan(20);
    const kept = by.reduce((sum, each) => sum + (bound[each] ?? 0), 0);
    expect(kept / all, JSON.stringify(bound)).toBeGreaterThanOrEqual(share);
    for (const boundBy of Object.keys(bound)) expect([...by, 'nothing']).toContain(boundBy);
  });

  it.each(NEVER)('never bind %s', (type) => {
    const { all, bound } = counts.get(type) ?? { all: 0, bound: {} as Count['bound'] };
    expect(all).toBeGreaterThan(0);
    expect(bound).toEqual({ nothing: all });
  });

  it('bind a file that GRUB or shim names to nothing', () => {
    expect(Object.keys(counts.get('EV_IPL')?.bound ?? {})).not.toContain('body');
  });
});
