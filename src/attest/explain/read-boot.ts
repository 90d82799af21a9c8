/** A boot out of evidence, for explaining: read as far as it can be, nothing of it proven. */
import type { AttestCrypto } from '../crypto/crypto.ts';
import { decodeEvent } from '../event-log/decode.ts';
import { parseEventLog } from '../event-log/parse.ts';
import { replayBank } from '../event-log/replay.ts';
import type { Evidence } from '../evidence.ts';
import type { Boot } from './explain.ts';
import { readRuntime } from './runtime.ts';

type BootEvidence = Pick<Evidence, 'eventLog' | 'pcrs' | 'imaLog' | 'configuration'>;

/** @throws LogError when the event log cannot be read at all */
export function readBoot(evidence: BootEvidence, crypto: Pick<AttestCrypto, 'hash'>): Boot {
  const log = parseEventLog(evidence.eventLog, { padding: 'allow' });
  const pcrs = Object.entries(evidence.pcrs.sha256 ?? {}).map(([index, value]) => [Number(index), value] as const);
  return {
    events: log.events.map((event) => decodeEvent(event, 'sha256', crypto)),
    replayed: replayBank(log, 'sha256', crypto)?.pcrs ?? new Map(),
    startupLocality: log.startupLocality,
    pcrs: new Map(pcrs),
    runtime: readRuntime(evidence, new Map(pcrs), crypto),
  };
}
