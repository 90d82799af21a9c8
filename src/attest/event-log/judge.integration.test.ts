/** tpm2_eventlog as independent judge: it must replay every real log at hand to the registers that we get. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { nodeAttestCrypto } from '../crypto-node.ts';
import { parseEventLog } from './parse.ts';
import { reportEventLog } from './report.ts';

const vectors = new URL('../../../../shared/vectors/', import.meta.url);
const present = existsSync(vectors);
const index: { eventlog?: string; parse: string }[] = present
  ? JSON.parse(readFileSync(new URL('INDEX.json', vectors), 'utf8'))
  : [];
const logs = [...new Set(index.filter(({ parse }) => parse === 'ok').flatMap(({ eventlog }) => eventlog ?? []))];

/** The `pcrs:` section of its YAML; null where it gives up on the log. */
function tpm2Eventlog(path: string): Record<string, Record<string, string>> | null {
  let yaml: string;
  try {
    yaml = execFileSync('tpm2_eventlog', [path], { encoding: 'utf8', stdio: 'pipe', maxBuffer: 64 * 1024 * 1024 });
  } catch {
    return null;
  }
  const banks: Record<string, Record<string, string>> = {};
  let bank: Record<string, string> = {};
  for (const line of yaml.slice(yaml.lastIndexOf('\npcrs:')).split('\n')) {
    const name = /^ {2}(sha\d+):$/.exec(line)?.[1];
    if (name !== undefined) {
      bank = {};
      banks[name] = bank;
    }
    const register = /^ {4}(\d+) *: 0x([0-9a-f]+)$/.exec(line);
    if (register?.[1] !== undefined && register[2] !== undefined) bank[register[1]] = register[2];
  }
  return banks;
}

describe.skipIf(!present)(present ? 'tpm2_eventlog' : 'tpm2_eventlog (skipped: no vectors)', () => {
  it('agrees on every log that it can read', () => {
    let agreed = 0;
    for (const log of logs) {
      const url = new URL(log, vectors);
      const theirs = tpm2Eventlog(fileURLToPath(url));
      if (theirs === null) continue;
      const bytes = new Uint8Array(readFileSync(url));
      const { banks, events } = reportEventLog(parseEventLog(bytes, { padding: 'allow' }), nodeAttestCrypto);
      // its 5.4 extends NO_ACTION events too; the registers that the source published for such a log are ours
      const misled = new Set(
        events.slice(1).flatMap(({ type, pcr }) => (type === 'EV_NO_ACTION' ? [String(pcr)] : [])),
      );
      for (const [bank, registers] of Object.entries(theirs)) {
        for (const [pcr, value] of Object.entries(registers)) {
          if (misled.has(pcr)) continue;
          expect(banks[bank]?.[pcr], `${log} ${bank} ${pcr}`).toBe(value);
        }
      }
      agreed += 1;
    }
    expect(agreed).toBeGreaterThan(30);
  });
});
