/**
 * The judgement: evidence against what was expected, RFC 9334's Verifier. Pure and synchronous; time, trust, challenge
 * and reference values are arguments. Stages: keys, activation, quote, claims, TPM, boot log, image, runtime. Nothing of
 * a stage is read before the earlier ones passed, and nothing is accepted that a stage did not reach.
 */
import { subjectPublicKeyInfo } from 'tpm2-ts/public-key';
import { toHex } from '../shared/bytes.ts';
import {
  ActivationError,
  type ActivationProof,
  verifyActivationAnswer,
  verifyActivationTranscript,
} from './activation.ts';
import type { AnsweredQuote } from './activation-answer.ts';
import { judgeBootLog } from './boot-log.ts';
import { ClaimsError, parseClaims, verifyClaimsSignature } from './claims.ts';
import type { AttestCrypto } from './crypto.ts';
import { judgeEkCertificates, type TpmIdentity } from './ek.ts';
import type { DecodedEvent } from './event-log/decode.ts';
import type { Evidence, MachineClaims } from './evidence.ts';
import type { Expected, Request } from './expected.ts';
import type { Findings } from './findings.ts';
import { type JudgedKeys, judgeKeys } from './keys.ts';
import { type Failure, type Ledger, newLedger } from './ledger.ts';
import { limitsOf } from './limits.ts';
import { chainFailure, compareOwnChain, type Difference } from './own-chain.ts';
import { pcrVerdicts } from './pcr-verdicts.ts';
import { type Prepared, prepare, requireNone } from './prepare.ts';
import { judgeQuote } from './quote.ts';
import type { ReferenceValues } from './reference-values.ts';
import type { RefusalCode } from './refusal-codes.ts';
import { configurationFailure, moduleFailure, readImaLog } from './runtime.ts';
import { secureBootFailure } from './secure-boot.ts';
import type { Verdict } from './verdict.ts';

/** Every verdict has exactly these checks, in this order. */
export const CHECK_NAMES = [
  'keys',
  'ak-attributes',
  'activation',
  'quote-signature',
  'quote-format',
  'quote-signer',
  'quote-binding',
  'quote-selection',
  'quote-values',
  'claims',
  'ek-certificate',
  'tpm-class',
  'boot-measured',
  'event-log-format',
  'event-log-replay',
  'event-log-rules',
  'secure-boot',
  'image',
  'ima-log',
  'kernel-modules',
  'configuration',
] as const;

/** One judgement with all that it needs. @throws CodedError when `expected` itself is unusable; whatever the evidence holds ends in a verdict. */
export function appraise(evidence: Evidence, expected: Expected, crypto: AttestCrypto): Verdict {
  return appraiseWith(evidence, prepare(expected, crypto), expected, crypto);
}

/** The same for who judges many: what stays the same was prepared once. @throws CodedError when `request` is unusable */
export function appraiseWith(evidence: Evidence, prepared: Prepared, request: Request, crypto: AttestCrypto): Verdict {
  requireUsable(request);
  const ledger = newLedger(CHECK_NAMES);
  const findings = judge(evidence, { ...prepared, ...request }, crypto, ledger);
  const checks = ledger.checks();
  const accepted = checks.every((check) => check.status === 'passed');
  return {
    status: accepted ? 'accepted' : 'refused',
    checks,
    tpm: findings.tpm,
    image: accepted && findings.reference !== null ? findings.reference.image : null,
    pcrs: pcrVerdicts(findings, checks),
    claims: findings.claims,
    limits: limitsOf(findings.tpm.class, request),
  };
}

type Judged = Prepared & Request;

function judge(evidence: Evidence, expected: Judged, crypto: AttestCrypto, ledger: Ledger): Findings {
  let findings: Findings = {
    tpm: { class: 'unknown', manufacturer: null, model: null, evidence: 'not judged' },
    claims: null,
    pcrs: null,
    events: null,
    reference: null,
    differences: [],
  };
  const keys = judgeKeys(evidence, crypto, ledger);
  if (keys === null || !judgeActivation(evidence, keys, expected, crypto, ledger)) return findings;

  const registers = judgeQuote(evidence, expected, keys, crypto, ledger);
  const pcrs = registers?.get('sha256');
  if (pcrs === undefined) return findings;
  findings = { ...findings, pcrs };

  const claims = judgeClaims(evidence, expected, crypto, ledger);
  if (claims === null) return findings;
  findings = { ...findings, claims };

  const tpm = judgeTpm(evidence, keys, expected, crypto, ledger);
  if (tpm !== null) findings = { ...findings, tpm };
  if (ledger.failed) return findings;

  const events = judgeBootLog(evidence.eventLog, pcrs, crypto, ledger);
  if (events === null) return findings;
  const { reference, differences } = closestReference(events, expected.referenceValues);
  findings = { ...findings, events, reference, differences };
  judgeImage(events, reference, differences, ledger);
  if (ledger.failed) return findings;

  judgeRuntime(evidence, pcrs, reference, crypto, ledger);
  return findings;
}

function judgeActivation(
  evidence: Evidence,
  keys: JudgedKeys,
  expected: Judged,
  crypto: AttestCrypto,
  ledger: Ledger,
): boolean {
  const fail = (code: RefusalCode, sentence: string): false => {
    const remedy = 'Enrol the machine again, so that the broker activates its AK.';
    ledger.fail('activation', {
      code,
      family: code === 'ACTIVATION_MALFORMED' ? 'malformed' : 'false',
      sentence,
      remedy,
    });
    return false;
  };
  const { activation } = expected;
  let names: { readonly ekName: string; readonly akName: string };
  try {
    names = activatedNames(activation, { ...evidence, challenge: expected.challenge }, expected.brokerId, crypto);
  } catch (error) {
    if (!(error instanceof ActivationError)) throw error;
    return fail(error.code, `There is no proof that the AK lives in this TPM: ${error.message}.`);
  }
  if (names.akName !== keys.akName) {
    return fail(
      'ACTIVATION_AK_MISMATCH',
      `The activated AK is ${names.akName}, the one in the evidence is ${keys.akName}.`,
    );
  }
  if (names.ekName !== keys.ekName) {
    return fail(
      'ACTIVATION_EK_MISMATCH',
      `The AK was activated for the EK ${names.ekName}, the one in the evidence is ${keys.ekName}.`,
    );
  }
  const witness = activation.kind === 'transcript' ? 'The broker' : 'This verifier';
  ledger.pass('activation', `${witness} activated this AK in the TPM that holds the EK.`);
  return true;
}

function activatedNames(
  activation: ActivationProof,
  answered: AnsweredQuote,
  brokerId: Uint8Array,
  crypto: AttestCrypto,
): { readonly ekName: string; readonly akName: string } {
  switch (activation.kind) {
    case 'witnessed':
      return activation;
    case 'answered':
      return verifyActivationAnswer(activation, answered, crypto);
    case 'transcript':
      return verifyActivationTranscript(activation.transcript, brokerId, crypto);
    default:
      return activation satisfies never;
  }
}

function judgeClaims(evidence: Evidence, expected: Judged, crypto: AttestCrypto, ledger: Ledger): MachineClaims | null {
  const fail = (failure: Failure): null => {
    ledger.fail('claims', failure);
    return null;
  };
  if (!verifyClaimsSignature(evidence, crypto)) {
    const sentence = "The machine's claims are not signed by the session key.";
    return fail({ code: 'CLAIMS_SIGNATURE_INVALID', family: 'false', sentence });
  }
  let claims: MachineClaims;
  try {
    claims = parseClaims(evidence.claims);
  } catch (error) {
    if (!(error instanceof ClaimsError)) throw error;
    const reason = error.cause instanceof Error ? error.cause.message : error.message;
    return fail({ code: 'CLAIMS_MALFORMED', family: 'malformed', sentence: `The claims cannot be read: ${reason}.` });
  }
  if (claims.challenge !== toHex(expected.challenge)) {
    const sentence = 'The claims were made for another challenge than the quote.';
    return fail({ code: 'CLAIMS_CHALLENGE_MISMATCH', family: 'false', sentence });
  }
  ledger.pass('claims', "The machine's claims are signed by the session key, for this challenge.");
  return claims;
}

function judgeTpm(
  evidence: Evidence,
  keys: JudgedKeys,
  expected: Judged,
  crypto: AttestCrypto,
  ledger: Ledger,
): TpmIdentity | null {
  const trust = { anchors: expected.trustAnchors, time: expected.time };
  const judged = judgeEkCertificates(evidence.ekCertificates, subjectPublicKeyInfo(keys.ek), trust, crypto);
  if ('code' in judged) {
    ledger.fail('ek-certificate', judged);
    return null;
  }
  const { identity, unknownCode } = judged;
  ledger.pass('ek-certificate', `${identity.evidence}.`);
  if (expected.policy.acceptedTpmClasses.includes(identity.class)) {
    ledger.pass('tpm-class', `The TPM is of class ${identity.class}, which the policy accepts.`);
  } else {
    ledger.fail('tpm-class', {
      code: unknownCode ?? 'TPM_CLASS_NOT_ACCEPTED',
      family: 'policy',
      sentence: `The TPM is of class ${identity.class}, accepted are: ${expected.policy.acceptedTpmClasses.join(', ')}. ${identity.evidence}.`,
      remedy: 'Name the authority that vouches for this TPM, or accept the class where its weakness does not matter.',
      difference: {
        component: 'TPM class',
        expected: expected.policy.acceptedTpmClasses.join(', '),
        actual: identity.class,
      },
    });
  }
  return identity;
}

function closestReference(
  events: readonly DecodedEvent[],
  references: Expected['referenceValues'],
): { reference: ReferenceValues; differences: readonly Difference[] } {
  const compared = references.map((reference) => ({ reference, differences: compareOwnChain(events, reference) }));
  const [first, ...others] = compared;
  if (first === undefined) throw new Error('prepared without reference values');
  return others.reduce((best, each) => (each.differences.length < best.differences.length ? each : best), first);
}

/** One stage: with Secure Boot off the chain differs as well, and both are worth saying. */
function judgeImage(
  events: readonly DecodedEvent[],
  reference: ReferenceValues,
  differences: readonly Difference[],
  ledger: Ledger,
): void {
  const secureBoot = secureBootFailure(events);
  if (secureBoot === null) ledger.pass('secure-boot', 'Secure Boot was on.');
  else ledger.fail('secure-boot', secureBoot);
  const [first, ...others] = differences;
  if (first === undefined) {
    ledger.pass(
      'image',
      `The machine runs ${reference.image.name} ${reference.image.version}, nothing more and nothing less.`,
    );
  } else {
    ledger.fail('image', chainFailure([first, ...others], reference));
  }
}

function judgeRuntime(
  evidence: Evidence,
  pcrs: ReadonlyMap<number, Uint8Array>,
  reference: ReferenceValues,
  crypto: AttestCrypto,
  ledger: Ledger,
): void {
  const entries = readImaLog(evidence.imaLog, pcrs, crypto);
  if ('code' in entries) {
    ledger.fail('ima-log', entries);
  } else {
    ledger.pass('ima-log', `The IMA log explains register 10 with ${entries.length} entries.`);
    const stranger = moduleFailure(entries, reference);
    if (stranger === null)
      ledger.pass('kernel-modules', `All ${entries.length - 1} loaded kernel modules are the image's own.`);
    else ledger.fail('kernel-modules', stranger);
  }
  const configuration = configurationFailure(evidence, pcrs, crypto);
  if (configuration !== null) ledger.fail('configuration', configuration);
  else if (evidence.configuration.length === 0)
    ledger.pass('configuration', 'The machine uses no configuration of its seller.');
  else ledger.pass('configuration', "The seller's configuration is the one that was measured.");
}

function requireUsable(request: Request): void {
  const problems: readonly (readonly [boolean, string])[] = [
    [request.challenge.length !== 32, `the challenge has ${request.challenge.length} bytes instead of 32`],
    [request.brokerId.length !== 32, `the broker id has ${request.brokerId.length} bytes instead of 32`],
    [Number.isNaN(request.time.getTime()), 'the time of judgement is not a time'],
  ];
  requireNone(problems);
}
