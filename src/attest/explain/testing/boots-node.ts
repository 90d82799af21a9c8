/** Boots to explain, read back from the logs they would write, and what is said of them. */
import { nodeAttestCrypto } from '../../crypto/crypto-node.ts';
import { type Boot, bootEvents, GOOD_BOOT, referenceValuesOf, replay } from '../../testing/boot-node.ts';
import { type WrittenEvent, writeEventLog } from '../../testing/event-log-writer.ts';
import { type Against, explain } from '../explain.ts';
import { readBoot } from '../read-boot.ts';

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
export const bootOf = (events: readonly WrittenEvent[]) =>
  readBoot(
    {
      eventLog: writeEventLog(events, nodeAttestCrypto),
      pcrs: { sha256: Object.fromEntries(replay(events).map((value, index) => [index, value])) },
      imaLog: new Uint8Array(),
      configuration: new Uint8Array(),
    },
    nodeAttestCrypto,
  );
export const boot = (change: Partial<Boot> = {}) => bootOf(bootEvents({ ...GOOD_BOOT, ...change }));
export const reference: Against = { references: [referenceValuesOf(GOOD_BOOT)], earlier: null };
export const earlier: Against = { references: [], earlier: boot() };
export const sentences = (seen: ReturnType<typeof boot>, against: Against) =>
  explain(seen, against).changes.map(({ code, sentence }) => ({ code, sentence }));
export const codes = (seen: ReturnType<typeof boot>, against: Against) =>
  explain(seen, against).changes.map(({ code }) => code);
