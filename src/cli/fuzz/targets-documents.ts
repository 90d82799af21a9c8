/** Certificates, revocation lists and the JSON documents that come from others. */

import { generateKeyPairSync } from 'node:crypto';
import type { JWK } from 'jose';
import { nodeAttestCrypto as crypto } from '../../attest/crypto/crypto-node.ts';
import { keyText } from '../../attest/der/der-key.ts';
import { nameText } from '../../attest/der/der-name.ts';
import { parseCertificate } from '../../attest/endorsement/certificate.ts';
import { publishedLinks } from '../../attest/endorsement/certificate-links.ts';
import { prepareTrust, readLeaf } from '../../attest/endorsement/ek-trust.ts';
import { parseRevocationList } from '../../attest/endorsement/revocation.ts';
import { parseReferenceValues } from '../../attest/image/reference-values.ts';
import { encodeEnvelope, readReferenceValues, statedSigners } from '../../attest/image/signed-reference-values.ts';
import { policyAccepting } from '../../attest/policy/policies.ts';
import { parsePolicy } from '../../attest/policy/policy.ts';
import { parseClaims } from '../../attest/quote/claims.ts';
import { EAR_PROFILE, type EarClaims, earClaims } from '../../attest/result/ear.ts';
import { publicEarKey, readEar, signEar } from '../../attest/result/ear-jose.ts';
import { OLD_EAR_PROFILE, readEarClaims } from '../../attest/result/ear-read.ts';
import { renderEar } from '../../attest/result/ear-render.ts';
import { parseReport } from '../../protocol/report-document.ts';
import { readPemOrDer } from '../../shared/pem.ts';
import { certificateSeeds, revocationListSeeds } from './certificate-seeds.ts';
import { newHostileMachine } from './hostile-machine.ts';
import { recording } from './seeds.ts';
import { BrokenRule, requireEqual, requirePrintable, type Target } from './target.ts';

const { report, reportJson, referenceJson } = recording('p256');
const json = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
const envelope = encodeEnvelope(referenceJson, new Uint8Array(70), 'ab'.repeat(32));
const time = new Date('2026-11-21T12:00:00Z');
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const earKey = await publicEarKey(publicKey.export({ format: 'jwk' }) as JWK);
const token = await signEar(ourClaims(), { privateKey, keyId: earKey.kid ?? '' });

export function documentTargets(): readonly Target[] {
  const certificates = certificateSeeds();
  return [
    der('certificate', certificates, (input) => {
      const certificate = parseCertificate(input);
      const { issuers, revocationLists } = publishedLinks(certificate);
      const names = [certificate.subject, certificate.issuer].map(nameText);
      requirePrintable([...names, keyText(certificate.publicKey), ...issuers, ...revocationLists].join('\n'));
    }),
    der('stored-certificate', certificates, (input) => void readLeaf(input)),
    der('revocation-list', revocationListSeeds(), (input) => void parseRevocationList(input)),
    der('trust', certificates, (input) => {
      const trust = { anchors: [input], extraCertificates: [input], revocationLists: [] };
      prepareTrust(trust, crypto);
    }),
    {
      ...der('pem', [], (input) => void readPemOrDer(input, 'CERTIFICATE')),
      shape: 'bytes',
      seeds: certificates.map(pem),
    },
    document('report', [reportJson], 400_000, (input) => void parseReport(input)),
    document('reference-values', [referenceJson], 400_000, (input) => {
      requireEqual(parseReferenceValues(json(parseReferenceValues(input))), parseReferenceValues(input), 'not stable');
    }),
    document('signed-reference-values', [new TextEncoder().encode(envelope)], 400_000, (input) => {
      statedSigners(input);
      readReferenceValues(input, 'unsigned', crypto);
    }),
    document('policy', [json(policyAccepting(['hardware']))], 100_000, (input) => {
      requireEqual(
        parsePolicy(json(parsePolicy(input))),
        parsePolicy(input),
        'a policy reads otherwise when written again',
      );
    }),
    document('claims', [report.evidence.claims], 20_000, (input) => void parseClaims(input)),
    {
      name: 'ear-token',
      shape: 'bytes',
      seeds: [new TextEncoder().encode(token)],
      maxBytes: 40_000,
      baseMs: 20,
      run: async (input) => {
        const text = Buffer.from(input).toString('latin1');
        await readEar(text, [earKey], { time, maxAgeWithoutExpiryMs: 1e12 });
        if (text !== token) throw new BrokenRule('a token that was never signed is taken');
      },
    },
    document('ear-claims', earSeeds(), 100_000, (input) => {
      let claims: unknown;
      try {
        claims = JSON.parse(new TextDecoder().decode(input));
      } catch {
        return; // the reader is given what JSON.parse gave
      }
      requirePrintable(renderEar(readEarClaims(claims, { time, maxAgeWithoutExpiryMs: 1e12 })));
    }),
  ];
}

const der = (name: string, seeds: readonly Uint8Array[], run: Target['run']): Target => {
  return { name, shape: 'der', seeds, maxBytes: 40_000, baseMs: 20, run };
};

const document = (name: string, seeds: readonly Uint8Array[], maxBytes: number, run: Target['run']): Target => {
  return { name, shape: 'json', seeds, maxBytes, baseMs: 20, run };
};

function pem(certificate: Uint8Array): Uint8Array {
  const base64 = Buffer.from(certificate).toString('base64');
  return new TextEncoder().encode(`text\n-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`);
}

function earSeeds(): readonly Uint8Array[] {
  const vector = { 'instance-identity': 2, configuration: 2, executables: 2, hardware: 2 };
  const common = { iat: 1795262400, exp: 1795348800, eat_nonce: 'AAECAwQFBgcICQoLDA0ODw' };
  return [
    json(ourClaims()),
    json({
      ...common,
      eat_profile: EAR_PROFILE,
      ear_verifier_id: { developer: 'cpushare', build: '0.1.0' },
      submods: {
        machine: {
          ear_status: 'affirming',
          ear_trustworthiness_vector: vector,
          ear_appraisal_policy_ids: ['policy:1'],
          ear_attester_claims: {},
          ear_verifier_claims: { verdict: 'accepted' },
        },
      },
    }),
    json({
      ...common,
      eat_profile: OLD_EAR_PROFILE,
      'ear.verifier-id': { developer: 'x', build: '1' },
      submods: {
        machine: { 'ear.status': 'affirming', 'ear.trustworthiness-vector': vector, 'ear.appraisal-policy-id': 'p' },
      },
    }),
  ];
}

function ourClaims(): EarClaims {
  const { genuine, judge } = newHostileMachine();
  return earClaims(judge(genuine), {
    verifier: { developer: 'cpushare', build: '0.1.0' },
    issuedAt: new Date('2026-11-21T11:00:00Z'),
    expiresAt: new Date('2026-11-22T11:00:00Z'),
    challenge: new Uint8Array(32),
    machineId: 'ab'.repeat(32),
    referenceIds: [],
    policyId: 'policy',
    sessionKeySha256: 'cd'.repeat(32),
  });
}
