/** Evidence of a real software TPM: its registers extended event by event, its own EK certificate, its own quote. */
import { execFileSync } from 'node:child_process';
import { createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { quote, withKeys } from 'tpm2-ts/attester';
import { pcrExtend } from 'tpm2-ts/commands-state';
import { chooseEk } from 'tpm2-ts/ek-certificates';
import { readPcrs } from 'tpm2-ts/facts';
import { startTestTpm, type TestTpm } from 'tpm2-ts/testing/swtpm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { concatBytes, toHex } from '../shared/bytes.ts';
import { appraise } from './appraise.ts';
import { nodeAttestCrypto as crypto } from './crypto/crypto-node.ts';
import { parseEventLog } from './event-log/parse.ts';
import { reportEventLog } from './event-log/report.ts';
import { type Evidence, QUOTED_PCRS } from './evidence.ts';
import type { Expected } from './expected.ts';
import { demoPolicyAcceptingSoftwareTpm, policyAccepting } from './policy/policies.ts';
import { encodeClaims } from './quote/claims.ts';
import { qualifyingData } from './quote/qualifying-data.ts';
import { bootEvents, GOOD_BOOT, referenceValuesOf } from './testing/boot-node.ts';
import { imaEntry, writeEventLog } from './testing/event-log-writer.ts';

const challenge = new Uint8Array(32).fill(9);
const brokerId = new Uint8Array(32).fill(8);
const events = bootEvents(GOOD_BOOT);
let machine: TestTpm;
let evidence: Evidence;
let expected: Expected;

beforeAll(async () => {
  machine = await startTestTpm();
  ({ evidence, expected } = await attest(machine));
});
afterAll(() => machine.stop());

async function attest(machine: TestTpm): Promise<{ evidence: Evidence; expected: Expected }> {
  const tpm = await machine.open();
  const extend = (pcr: number, digest: Uint8Array) => pcrExtend(tpm, { pcr, digests: [{ hash: 'sha256', digest }] });
  for (const { pcr, measured, data } of events) await extend(pcr, crypto.hash('sha256', measured ?? data));
  const early = await readPcrs(tpm, 'sha256', QUOTED_PCRS);
  const aggregate = crypto.hash(
    'sha256',
    concatBytes(...QUOTED_PCRS.slice(0, 10).map((pcr) => early.get(pcr) ?? new Uint8Array())),
  );
  const ima = imaEntry(aggregate, 'boot_aggregate', crypto);
  await extend(10, ima.extended);

  const session = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const sessionPublicKey = new Uint8Array(session.publicKey.export({ format: 'der', type: 'spki' }));
  const claims = encodeClaims({
    clientVersion: '0.1.0',
    challenge: toHex(challenge),
    accelerator: { name: 'tcg', reason: 'test' },
    cpuModel: 'test',
    memoryBytes: 1,
    secureBoot: true,
    bootMode: 'uefi',
    uptimeMs: 1,
  });
  const binding = qualifyingData({ challenge, sessionPublicKey, role: 'seller', brokerId, claims }, crypto);
  const { kind, certificates } = await chooseEk(tpm);
  const made = await withKeys(tpm, { ek: kind, ak: 'ecc' }, async ({ ek, ak }) => ({
    ...(await quote(tpm, ak, [{ hash: 'sha256', pcrs: QUOTED_PCRS }], binding)),
    akPublic: ak.publicArea,
    ekPublic: ek.publicArea,
    akName: toHex(ak.name),
    ekName: toHex(ek.name),
  }));
  const pcrs = await readPcrs(tpm, 'sha256', QUOTED_PCRS);
  await tpm.close();

  const authority = new X509Certificate(await readFile(join(machine.folder, 'issuercert.pem')));
  return {
    evidence: {
      quote: made.quoted,
      signature: made.signature,
      pcrs: { sha256: Object.fromEntries(pcrs) },
      eventLog: writeEventLog(events, crypto),
      imaLog: ima.bytes,
      configuration: new Uint8Array(),
      akPublic: made.akPublic,
      ekPublic: made.ekPublic,
      ekCertificates: certificates,
      sessionPublicKey,
      claims,
    },
    expected: {
      challenge,
      brokerId,
      activation: { kind: 'witnessed', ekName: made.ekName, akName: made.akName },
      referenceValues: [referenceValuesOf(GOOD_BOOT)],
      trustAnchors: [new Uint8Array(authority.raw)],
      extraCertificates: [],
      revocationLists: [],
      policy: demoPolicyAcceptingSoftwareTpm,
      time: new Date(),
    },
  };
}

describe('a real software TPM', () => {
  it('is accepted where software is, and never taken for hardware', () => {
    const verdict = appraise(evidence, expected, crypto);
    expect(verdict.checks.filter((check) => check.status !== 'passed')).toEqual([]);
    expect(verdict).toMatchObject({ status: 'accepted', tpm: { class: 'software', model: 'swtpm' } });
    const strict = appraise(
      evidence,
      { ...expected, policy: policyAccepting(['hardware', 'firmware', 'cloud']) },
      crypto,
    );
    expect(strict.checks.find((check) => check.status === 'failed')).toMatchObject({ code: 'TPM_CLASS_NOT_ACCEPTED' });
  });

  it('is of class unknown to who does not know its authority', () => {
    const verdict = appraise(evidence, { ...expected, trustAnchors: [] }, crypto);
    expect(verdict).toMatchObject({ status: 'refused', tpm: { class: 'unknown' } });
  });

  it('signs nothing that a flipped bit of its quote or signature would pass as', () => {
    for (const field of ['quote', 'signature'] as const) {
      for (let index = 0; index < evidence[field].length; index += 1) {
        const flipped = evidence[field].map((byte, at) => (at === index ? byte ^ 1 : byte));
        expect(appraise({ ...evidence, [field]: flipped }, expected, crypto).status).toBe('refused');
      }
    }
  });

  it('has a quote that tpm2_checkquote accepts as well, and a log that tpm2_eventlog replays the same', async () => {
    const file = (name: string): string => join(machine.folder, name);
    const { subjectPublicKeyInfo } = await import('tpm2-ts/public-key');
    const { decode } = await import('tpm2-ts/codec');
    const { tpmtPublic } = await import('tpm2-ts/public-area');
    const spki = Buffer.from(subjectPublicKeyInfo(decode(tpmtPublic, evidence.akPublic)));
    await writeFile(
      file('ak.pem'),
      createPublicKey({ key: spki, format: 'der', type: 'spki' }).export({ format: 'pem', type: 'spki' }),
    );
    await writeFile(file('quote'), evidence.quote);
    await writeFile(file('signature'), evidence.signature);
    await writeFile(file('log'), evidence.eventLog);
    const { sessionPublicKey, claims } = evidence;
    const binding = qualifyingData({ challenge, sessionPublicKey, role: 'seller', brokerId, claims }, crypto);
    const checkquote = [
      '-u',
      file('ak.pem'),
      '-m',
      file('quote'),
      '-s',
      file('signature'),
      '-g',
      'sha256',
      '-q',
      toHex(binding),
    ];
    execFileSync('tpm2_checkquote', checkquote, { stdio: 'pipe' });
    expect(() => execFileSync('tpm2_checkquote', checkquote.with(-1, toHex(challenge)), { stdio: 'pipe' })).toThrow();

    const yaml = execFileSync('tpm2_eventlog', [file('log')], { encoding: 'utf8' });
    const { banks } = reportEventLog(parseEventLog(evidence.eventLog, { padding: 'refuse' }), crypto);
    for (const registers of Object.values(banks)) {
      for (const [pcr, value] of Object.entries(registers)) {
        expect(yaml).toMatch(new RegExp(`^ +${pcr} +: 0x${value}$`, 'm'));
      }
    }
  });
});
