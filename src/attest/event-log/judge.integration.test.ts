/** tpm2_eventlog as independent judge: events, fields and registers of every real log at hand that it can read. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { nodeAttestCrypto } from '../crypto/crypto-node.ts';
import { decodeEvent } from './decode.ts';
import { EventType } from './event-types.ts';
import { type EventLog, parseEventLog } from './parse.ts';
import { reportEventLog } from './report.ts';
import { equalFields } from './testing/tpm2-eventlog-fields.ts';
import { readTpm2EventlogYaml, type TpmYaml } from './testing/tpm2-eventlog-yaml.ts';

const vectors = new URL('../../../../shared/vectors/', import.meta.url);
const present = existsSync(vectors);
const index: { eventlog?: string; parse: string }[] = present
  ? JSON.parse(readFileSync(new URL('INDEX.json', vectors), 'utf8'))
  : [];
const logs = [...new Set(index.filter(({ parse }) => parse === 'ok').flatMap(({ eventlog }) => eventlog ?? []))];

/** Null where it gives up on the log. */
function tpm2Eventlog(path: string): TpmYaml | null {
  const maxBuffer = 64 * 1024 * 1024;
  try {
    return readTpm2EventlogYaml(execFileSync('tpm2_eventlog', [path], { encoding: 'utf8', stdio: 'pipe', maxBuffer }));
  } catch {
    return null;
  }
}

describe.skipIf(!present)(present ? 'tpm2_eventlog' : 'tpm2_eventlog (skipped: no vectors)', () => {
  it('agrees on every log that it can read', () => {
    let agreed = 0;
    for (const log of logs) {
      const url = new URL(log, vectors);
      const theirs = tpm2Eventlog(fileURLToPath(url));
      if (theirs === null) continue;
      const parsed = parseEventLog(new Uint8Array(readFileSync(url)), { padding: 'allow' });
      expectSameRegisters(parsed, theirs, log);
      expectSameFields(parsed, theirs, log);
      agreed += 1;
    }
    expect(agreed).toBeGreaterThan(30);
  });
});

/** Its 5.4 extends NO_ACTION events too; the registers that the source published for such a log are ours. */
function expectSameRegisters(parsed: EventLog, theirs: TpmYaml, log: string): void {
  const { banks } = reportEventLog(parsed, nodeAttestCrypto);
  const informative = parsed.events.slice(1).filter(({ type }) => type === EventType.NO_ACTION);
  const misled = new Set(informative.map(({ pcr }) => String(pcr)));
  for (const [bank, registers] of Object.entries(theirs.pcrs)) {
    for (const [pcr, value] of Object.entries(registers)) {
      if (!misled.has(pcr)) expect(banks[bank]?.[pcr], `${log} ${bank} ${pcr}`).toBe(value);
    }
  }
}

function expectSameFields(parsed: EventLog, theirs: TpmYaml, log: string): void {
  expect(theirs.events, log).toHaveLength(parsed.events.length);
  for (const [index, event] of parsed.events.entries()) {
    const fields = theirs.events[index] ?? [];
    expect(equalFields(decodeEvent(event, 'sha256', nodeAttestCrypto), fields), `${log} event ${index}`).toEqual(
      fields,
    );
  }
}
