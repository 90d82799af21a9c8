/**
 * The judgement: evidence against what was expected, RFC 9334's Verifier. Pure and synchronous; time, trust, challenge
 * and reference values are arguments. Stages: keys, activation, quote, claims, TPM, boot log, image, runtime. Nothing of
 * a stage is read before the earlier ones passed, and nothing is accepted that a stage did not reach.
 */
import { judgeBootLog } from './boot/boot-log.ts';
import { judgeSecureBoot } from './boot/secure-boot.ts';
import type { AttestCrypto } from './crypto/crypto.ts';
import { UNJUDGED_TPM } from './endorsement/ek.ts';
import { judgeTpm } from './endorsement/judge-tpm.ts';
import type { Evidence } from './evidence.ts';
import type { Expected, Request } from './expected.ts';
import type { Findings } from './findings.ts';
import { closestReference, judgeImage, judgeRuntime } from './image/judge-image.ts';
import { type Ledger, newLedger } from './ledger.ts';
import { type Prepared, prepare, requireNone } from './prepare.ts';
import { judgeActivation } from './quote/judge-activation.ts';
import { judgeClaims } from './quote/judge-claims.ts';
import { judgeQuoteClock } from './quote/judge-quote-clock.ts';
import { judgeKeys } from './quote/keys.ts';
import { judgeQuote } from './quote/quote.ts';
import { quoteClockProblem } from './quote/quote-clock.ts';
import { limitsOf } from './result/limits.ts';
import { pcrVerdicts } from './result/pcr-verdicts.ts';
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
  'quote-clock',
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
    banks: findings.banks,
    firmware: findings.firmware,
    workarounds: findings.workarounds,
    clock: findings.clock,
    claims: findings.claims,
    limits: limitsOf(findings.tpm.class, { ...request, policy: prepared.policy }),
  };
}

type Judged = Prepared & Request;

function judge(evidence: Evidence, expected: Judged, crypto: AttestCrypto, ledger: Ledger): Findings {
  let findings: Findings = {
    tpm: UNJUDGED_TPM,
    clock: null,
    claims: null,
    pcrs: null,
    events: null,
    reference: null,
    differences: [],
    banks: [],
    firmware: null,
    workarounds: [],
  };
  const keys = judgeKeys(evidence, expected.publicAreas, ledger);
  if (keys === null || !judgeActivation(evidence, keys, expected, crypto, ledger)) return findings;

  const quote = judgeQuote(evidence, expected, keys, crypto, ledger);
  const pcrs = quote?.registers.get('sha256');
  if (quote === null || pcrs === undefined) return findings;
  const { registers, clock } = quote;
  findings = { ...findings, pcrs, clock };
  if (!judgeQuoteClock(clock, expected.lastClock ?? null, expected.policy.clock, ledger)) return findings;

  const claims = judgeClaims(evidence, expected, ledger);
  if (claims === null) return findings;
  findings = { ...findings, claims };

  const tpm = judgeTpm(evidence, keys, expected, crypto, ledger);
  if (tpm !== null) findings = { ...findings, tpm };
  if (ledger.failed) return findings;

  const { events, ...log } = judgeBootLog(evidence.eventLog, registers, expected, crypto, ledger);
  findings = { ...findings, ...log };
  if (events === null) return findings;
  const overlooked = log.workarounds.map(({ name }) => name);
  const { reference, differences } = closestReference(events, expected.references, overlooked);
  findings = { ...findings, events, reference: reference.values, differences };
  const { secureBoot: policy, firmwareWorkarounds } = expected.policy;
  const secureBoot = judgeSecureBoot(
    events,
    { policy, overlooked: firmwareWorkarounds, firmwareKeys: expected.firmwareKeys },
    crypto,
  );
  findings = { ...findings, firmware: secureBoot.firmware };
  judgeImage(secureBoot, reference, differences, expected.policy.debugImages, ledger);
  if (ledger.failed) return findings;

  judgeRuntime(evidence, pcrs, reference, crypto, ledger);
  return findings;
}

function requireUsable(request: Request): void {
  const { lastClock = null } = request;
  const clockProblem = lastClock === null ? null : quoteClockProblem(lastClock);
  const problems: readonly (readonly [boolean, string])[] = [
    [request.challenge.length !== 32, `the challenge has ${request.challenge.length} bytes instead of 32`],
    [request.brokerId.length !== 32, `the broker id has ${request.brokerId.length} bytes instead of 32`],
    [Number.isNaN(request.time.getTime()), 'the time of judgement is not a time'],
  ];
  requireNone([...problems, [clockProblem !== null, clockProblem ?? '']]);
}
