/** ATTEST-PITFALLS 51 and 54 to 64: relay, reflection, switches, policies, comparisons, traps of the language. */

import { createPublicKey } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { tpmsAttest } from 'tpm2-ts/attest';
import { decode, encode } from 'tpm2-ts/codec';
import { tpmtPublic } from 'tpm2-ts/public-area';
import { subjectPublicKeyInfo } from 'tpm2-ts/public-key';
import { describe, expect, it } from 'vitest';
import { nodeAttestCrypto as crypto } from '../../src/attest/crypto/crypto-node.ts';
import { EventType } from '../../src/attest/event-log/event-types.ts';
import { policyAccepting } from '../../src/attest/policy/policies.ts';
import { parsePolicy } from '../../src/attest/policy/policy.ts';
import { qualifyingData } from '../../src/attest/quote/qualifying-data.ts';
import { limitsOf } from '../../src/attest/result/limits.ts';
import { newMachine } from '../../src/attest/testing/attester-node.ts';
import { bootEvents, GOOD_BOOT, referenceValuesOf } from '../../src/attest/testing/boot-node.ts';
import { ekCertificate, newAuthority } from '../../src/attest/testing/certificate-authority-node.ts';
import { encodeReport, parseReport } from '../../src/protocol/report-document.ts';
import { fromHex, toHex } from '../../src/shared/bytes.ts';
import { loadFixture } from '../fixtures/load.ts';
import {
  attest,
  booted,
  broker,
  brokerId,
  challenge,
  codeOf,
  evidence,
  expected,
  judge,
  machine,
  signedStatement,
} from './made-evidence.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

describe('protocol and physical', () => {
  it('pitfall 51: the verifier imports nothing that could reach a network, a file or a clock', async () => {
    const { metafile } = await build({
      entryPoints: [`${root}src/attest/appraise.ts`],
      bundle: true,
      write: false,
      metafile: true,
      format: 'esm',
      platform: 'node',
      conditions: ['source'],
      external: ['node:*'],
    });
    const outside = Object.values(metafile.inputs).flatMap(({ imports }) =>
      imports.filter((each) => each.external === true).map((each) => each.path),
    );
    expect(outside).toEqual([]);
    const [bundle] = (
      await build({
        entryPoints: [`${root}src/attest/appraise.ts`],
        bundle: true,
        write: false,
        format: 'esm',
        conditions: ['source'],
        platform: 'neutral',
        mainFields: ['module', 'main'],
      })
    ).outputFiles;
    const ours = Object.keys(metafile.inputs).filter((path) => !path.includes('node_modules'));
    for (const path of ours) {
      const source = readFileSync(`${root}${path}`, 'utf8');
      expect(source, path).not.toMatch(/\bfetch\(|XMLHttpRequest|WebSocket|Date\.now\(|new Date\(\)|Math\.random/);
    }
    expect(bundle?.text.length).toBeGreaterThan(10_000);
  });

  it('pitfall 54: the quote of another genuine machine is bound to its own key and session; what is left is said', () => {
    const other = newMachine({ authority: machine.authority });
    const relayed = other.attest({ challenge, brokerId });
    const { quote, signature, pcrs, eventLog, imaLog } = relayed;
    expect(codeOf(judge({ quote, signature, pcrs, eventLog, imaLog }))).toBe('QUOTE_SIGNATURE_INVALID');
    expect(codeOf(judge(relayed))).toBe('ACTIVATION_AK_MISMATCH');
    const { sessionPublicKey, claims } = evidence;
    const own = { ...relayed, sessionPublicKey, claims };
    expect(codeOf(judge(own, { activation: other.activation }))).toBe('BINDING_MISMATCH');
    expect(judge().limits.join(' ')).toMatch(/relayed/);
  });

  it('pitfall 55: the quote names session key, role, broker and claims: for another of these it is worth nothing', () => {
    const { sessionPublicKey, claims } = evidence;
    const parts = { challenge, sessionPublicKey, role: 'seller', brokerId, claims } as const;
    const others = [
      { ...parts, brokerId: new Uint8Array(32).fill(1) },
      { ...parts, role: 'verifier' as never },
      { ...parts, role: 'buyer' as never },
      { ...parts, sessionPublicKey: brokerId },
      { ...parts, claims: claims.subarray(1) },
      { ...parts, challenge: brokerId, brokerId: challenge },
    ];
    const all = [parts, ...others].map((each) => toHex(qualifyingData(each, crypto)));
    expect(new Set(all).size).toBe(all.length);
    for (const binding of others) {
      const extraData = qualifyingData(binding, crypto);
      expect(codeOf(judge(signedStatement((quote) => ({ ...quote, extraData }))))).toMatch(/MISMATCH$/);
    }
    expect(codeOf(judge({}, { brokerId: new Uint8Array(32) }))).toBe('BINDING_MISMATCH');
  });

  it('pitfall 56: a reset of the bus with a replay cannot be seen: it is said for hardware, with every verdict', () => {
    const words = limitsOf('hardware', expected).join(' ');
    expect(words).toMatch(/resets? its bus|reset of its bus/);
    expect(words).toMatch(/machine open/);
  });

  it('pitfall 57: a firmware TPM is a class of its own, weaker, and the buyer reads why', () => {
    const made = newMachine({
      authority: newAuthority('AMD fTPM CA'),
      manufacturer: 'id:414D4400',
      model: 'AMD',
    });
    const fingerprint = toHex(crypto.hash('sha256', made.authority.certificate));
    const request = {
      activation: made.activation,
      trustAnchors: [made.authority.certificate],
      anchorClasses: { [fingerprint]: 'hardware' } as const, // said by who does not know AMD
    };
    const asHardware = { ...request, policy: policyAccepting(['hardware']) };
    const verdict = judge(made.attest({ challenge, brokerId }), asHardware);
    expect(verdict).toMatchObject({ status: 'refused', tpm: { class: 'firmware' } });
    const accepted = judge(made.attest({ challenge, brokerId }), { ...request, policy: policyAccepting(['firmware']) });
    expect(accepted.status).toBe('accepted');
    expect(accepted.limits.join(' ')).toMatch(/firmware TPM .*extracted/);
  });

  const parts = Object.keys(evidence) as (keyof typeof evidence)[];
  it.each(parts.filter((part) => part !== 'configuration'))('pitfall 58: leaving out %s skips no check', (part) => {
    const empty = { pcrs: {}, ekCertificates: [] as Uint8Array[] };
    const without = part in empty ? empty[part as keyof typeof empty] : new Uint8Array();
    const verdict = judge({ [part]: without });
    expect(verdict.status).toBe('refused');
    expect(verdict.checks.map((check) => check.name)).toEqual(judge().checks.map((check) => check.name));
    expect(verdict.checks.some((check) => check.status === 'failed')).toBe(true);
  });

  it('pitfall 59: no environment variable and no global switches the verifier', () => {
    const files = ['src/attest', 'src/shared', 'packages/tpm2-ts/src'].flatMap((folder) =>
      readdirSync(`${root}${folder}`, { recursive: true, encoding: 'utf8' })
        .filter((path) => path.endsWith('.ts') && !path.includes('test'))
        .map((path) => `${folder}/${path}`),
    );
    expect(files.length).toBeGreaterThan(40);
    for (const file of files) {
      const source = readFileSync(`${root}${file}`, 'utf8');
      expect(source, file).not.toMatch(/process\.env|import\.meta\.env|globalThis\.[a-z]/);
      expect(source, file).not.toMatch(/\b(skip|ignore|disable)[A-Z]\w*(Check|Signature|Verif)/);
    }
  });

  it('pitfall 60: a policy with a misspelt, missing or unknown field, at any depth, is refused', () => {
    const good = JSON.parse(JSON.stringify(policyAccepting(['hardware']))) as Record<string, unknown>;
    expect(parsePolicy(JSON.stringify(good))).toEqual(good);
    const refused = (policy: unknown): void => {
      expect(() => parsePolicy(JSON.stringify(policy)), JSON.stringify(policy)).toThrow(
        expect.objectContaining({ code: 'POLICY_MALFORMED' }),
      );
    };
    const visit = (node: Record<string, unknown>, rebuild: (changed: unknown) => unknown): void => {
      refused(rebuild({ ...node, extra: true }));
      for (const [key, value] of Object.entries(node)) {
        const { [key]: _, ...rest } = node;
        refused(rebuild(rest));
        refused(rebuild({ ...rest, [`${key}s`]: value }));
        refused(rebuild({ ...rest, [key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)]: value, extra: 1 }));
        if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
          visit(value as Record<string, unknown>, (changed) => rebuild({ ...node, [key]: changed }));
        }
      }
    };
    visit(good, (changed) => changed);
    // a rule stated twice: JSON.parse takes the last one
    const text = JSON.stringify(good);
    for (const twice of [
      text.replace('{', '{"acceptedTpmClasses":["unknown"],'),
      text.replace(/}$/, ',"acceptedTpmClasses":["unknown"]}'),
      text.replace('"dbx":{', '"dbx":{"minimumEntries":9,'),
      text.replace(/}$/, ',"accepted\\u0054pmClasses" : ["unknown"]}'),
    ]) {
      expect(twice).not.toBe(text);
      expect(() => parsePolicy(twice), twice).toThrow(expect.objectContaining({ code: 'POLICY_MALFORMED' }));
    }
    refused({ ...good, requireSecureBoot: false });
    refused({ ...good, acceptedTpmClasses: [] });
    refused({ ...good, acceptedTpmClasses: ['Hardware'] });
    refused([good]);
    refused(null);
  });

  it.each([
    { name: 'a prefix of ours', parameters: 'quiet' },
    { name: 'ours and one more', parameters: `${GOOD_BOOT.parameters} init=/bin/sh` },
    { name: 'ours twice', parameters: `${GOOD_BOOT.parameters} ${GOOD_BOOT.parameters}` },
    { name: 'ours in another order', parameters: 'lockdown=confidentiality quiet' },
    { name: 'another case', parameters: GOOD_BOOT.parameters.toUpperCase() },
    { name: 'one blank more', parameters: `${GOOD_BOOT.parameters} ` },
    { name: 'one letter less', parameters: GOOD_BOOT.parameters.slice(0, -1) },
  ])('pitfall 61: a command line that is $name is not ours', ({ parameters }) => {
    expect(judge(attest({ boot: { ...GOOD_BOOT, parameters } })).status).toBe('refused');
  });
  it("pitfall 61: the owner's keys are not accepted by default", () => {
    const mok = judge(attest({ boot: { ...GOOD_BOOT, mokList: "the owner's own key" } }));
    expect(codeOf(mok)).toBe('MOK_LIST_DIFFERS');
    const pattern = { ...referenceValuesOf(GOOD_BOOT), kernelCommandLine: '.*' };
    expect(
      judge(attest({ boot: { ...GOOD_BOOT, parameters: 'anything' } }), { referenceValues: [pattern] }).status,
    ).toBe('refused');
  });

  it('pitfall 62: values are compared as bytes: no stripped zero, no other case, no other length', () => {
    const leading = new Uint8Array(32);
    leading[31] = 7;
    expect(codeOf(judge(attest({ challenge: leading }), { challenge: leading }))).toBe('accepted');
    const activation = machine.transcript(broker);
    const receivedAt = '2026-11-21T04:00:00.000Z';
    const machineId = toHex(crypto.hash('sha256', fromHex(machine.activation.ekName)));
    const document = encodeReport({ machineId, brokerId, challenge, receivedAt, evidence, activation }, judge());
    const first = document.evidence.pcrs.sha256?.['0'] ?? '';
    for (const text of [first.toUpperCase(), first.replace(/^./, ''), `0x${first}`, `${first}00`.slice(2), '7', '']) {
      const pcrs = { sha256: { ...document.evidence.pcrs.sha256, '0': text } };
      const changed = { ...document, evidence: { ...document.evidence, pcrs } };
      if (text === first) continue;
      let code = '';
      try {
        code = codeOf(judge(parseReport(JSON.stringify(changed)).evidence));
      } catch (error) {
        code = (error as { code: string }).code;
      }
      expect(['REPORT_MALFORMED', 'PCR_VALUES_MALFORMED', 'QUOTE_PCR_DIGEST_MISMATCH']).toContain(code);
    }
  });

  it('pitfall 63: registers that are all zero under a valid quote, or zero where a machine must have measured', () => {
    expect(codeOf(judge(booted([])))).toBe('BOOT_NOT_MEASURED');
    for (const pcr of [0, 4, 7, 8, 9, 14]) {
      const events = bootEvents(GOOD_BOOT).filter((event) => event.pcr !== pcr);
      expect(judge(booted(events)).status, `register ${pcr} zero`).toBe('refused');
    }
  });

  it('pitfall 64: traps of the language: clamped slices, truthy bytes, number sizes, byte order, the first of a list', () => {
    // a size field larger than what is there, in each structure, is no shorter field
    for (const [codec, bytes] of [
      [tpmsAttest, evidence.quote],
      [tpmtPublic, evidence.akPublic],
    ] as const) {
      for (let length = 0; length < bytes.length; length += 1) {
        expect(() => decode<unknown>(codec as never, bytes.subarray(0, length))).toThrow(
          expect.objectContaining({ name: 'TpmCodecError' }),
        );
      }
    }
    const quote = decode(tpmsAttest, evidence.quote);
    expect(quote.clockInfo.safe).toBe(true);
    const unsafe = { ...quote, clockInfo: { ...quote.clockInfo, safe: false, clock: 0xffff_ffff_ffff_fffen } };
    expect(decode(tpmsAttest, encode(tpmsAttest, unsafe)).clockInfo).toMatchObject({
      safe: false,
      clock: 18446744073709551614n,
    });
    const rsa = decode(tpmtPublic, loadFixture('rsa2048').report.evidence.akPublic);
    const key = createPublicKey({ key: Buffer.from(subjectPublicKeyInfo(rsa)), format: 'der', type: 'spki' });
    expect(key.asymmetricKeyDetails).toMatchObject({ modulusLength: 2048, publicExponent: 65537n });
    // two usages, the one that counts not in front
    const withUsage = newMachine({
      certificates: (ek, authority) => [
        ekCertificate(authority, ek, { manufacturer: 'id:00001014', model: 'swtpm', usage: '1.3.6.1.5.5.7.3.2' }),
      ],
    });
    expect(codeOf(judge(withUsage.attest({ challenge, brokerId }), { activation: withUsage.activation }))).toBe(
      'EK_CERTIFICATE_PURPOSE',
    );
    expect(
      codeOf(judge(booted([...bootEvents(GOOD_BOOT), { pcr: 9, type: EventType.IPL, data: new Uint8Array() }]))),
    ).not.toBe('accepted');
  });
});
