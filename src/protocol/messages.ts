/**
 * What sell client, broker and verifier say to each other, as JSON. One schema each serves validation on both sides and
 * the broker's OpenAPI document. Binary fields are standard base64; identifiers and digests are lower-case hex.
 */
import type { Static } from 'typebox';
// As a namespace: a bundler then takes only the types that are used into the verifier's page.
import * as Type from 'typebox';
import { base64, hex, strict } from './fields.ts';

/** Largest request body the broker reads. */
export const MAX_BODY_BYTES = 4 * 1024 * 1024;

export const MachineId = hex(32);
export const ErrorAnswer = Type.Object(
  { code: Type.String(), message: Type.String(), nextStep: Type.Optional(Type.String()) },
  strict,
);
export type ErrorAnswer = Static<typeof ErrorAnswer>;

/** GET /v1/broker. `brokerId` is SHA-256 of the TLS certificate's SubjectPublicKeyInfo: also the pin in the seller's configuration. */
export const BrokerFacts = Type.Object({ brokerId: hex(32), version: Type.String() }, strict);
export type BrokerFacts = Static<typeof BrokerFacts>;

/** POST /v1/enrolments: ask for a credential that only the TPM holding this EK can open for this AK. */
export const EnrolmentRequest = Type.Object(
  {
    ekPublic: base64(1024),
    ekCertificates: Type.Array(base64(8192), { maxItems: 8 }),
    akPublic: base64(1024),
  },
  strict,
);
export type EnrolmentRequest = Static<typeof EnrolmentRequest>;

/** TPM2B_ID_OBJECT and TPM2B_ENCRYPTED_SECRET, each with its two-byte size. */
export const EnrolmentChallenge = Type.Object(
  { enrolmentId: hex(16), credentialBlob: base64(512), encryptedSecret: base64(1024), expiresAt: Type.String() },
  strict,
);
export type EnrolmentChallenge = Static<typeof EnrolmentChallenge>;

/**
 * POST /v1/enrolments/:enrolmentId/activation: the secret out of ActivateCredential. Who brings it is the machine, so the
 * session key that comes with it (SubjectPublicKeyInfo DER, P-256) speaks for the machine from now on.
 */
export const ActivationRequest = Type.Object({ secret: base64(64), sessionPublicKey: base64(512) }, strict);
export type ActivationRequest = Static<typeof ActivationRequest>;
/** `machineId` is SHA-256 of the EK's Name (nameAlg, then digest): stable for a TPM, whatever is booted. */
export const ActivationAnswer = Type.Object({ machineId: MachineId }, strict);
export type ActivationAnswer = Static<typeof ActivationAnswer>;

/** By the session key over `machineRequestInput` (machine-request.ts): P-256, SHA-256, IEEE P1363, 64 bytes. */
export const sessionSignature = base64(64);

export const PcrSelection = Type.Object(
  {
    bank: Type.Literal('sha256'),
    pcrs: Type.Array(Type.Integer({ minimum: 0, maximum: 23 }), { minItems: 1, maxItems: 24 }),
  },
  strict,
);

/** POST /v1/machines/:machineId/challenges. A new challenge of a machine voids its earlier one, so only the machine may ask. */
export const ChallengeRequest = Type.Object({ signature: sessionSignature }, strict);
export type ChallengeRequest = Static<typeof ChallengeRequest>;

export const Challenge = Type.Object(
  {
    challengeId: hex(16),
    /** 32 random bytes, single use. */
    challenge: hex(32),
    brokerId: hex(32),
    pcrSelection: PcrSelection,
    expiresAt: Type.String(),
  },
  strict,
);
export type Challenge = Static<typeof Challenge>;

/** The JSON form of `Evidence` (src/attest/evidence.ts), field by field. Version 1 had claims that the quote did not cover. */
export const EvidenceDocument = Type.Object(
  {
    format: Type.Literal('cpushare-evidence'),
    version: Type.Literal(2),
    quote: base64(1024),
    signature: base64(1024),
    pcrs: Type.Record(
      Type.String({ pattern: '^sha(1|256|384|512)$' }),
      Type.Record(
        Type.String({ pattern: '^([0-9]|1[0-9]|2[0-3])$' }),
        Type.String({ pattern: '^[0-9a-f]{40,128}$' }),
        strict,
      ),
      strict,
    ),
    eventLog: base64(1_572_864),
    imaLog: base64(1_048_576),
    configuration: base64(65_536),
    akPublic: base64(1024),
    ekPublic: base64(1024),
    ekCertificates: Type.Array(base64(8192), { maxItems: 8 }),
    sessionPublicKey: base64(512),
    claims: base64(8192),
  },
  strict,
);
export type EvidenceDocument = Static<typeof EvidenceDocument>;

/** POST /v1/machines/:machineId/evidence. */
export const EvidenceSubmission = Type.Object({ challengeId: hex(16), evidence: EvidenceDocument }, strict);
export type EvidenceSubmission = Static<typeof EvidenceSubmission>;

/** A check as the machine's screen needs it. */
const CheckSummary = Type.Object(
  {
    name: Type.String(),
    status: Type.Union([Type.Literal('passed'), Type.Literal('failed'), Type.Literal('not-reached')]),
    code: Type.Optional(Type.String()),
    sentence: Type.String(),
    remedy: Type.Optional(Type.String()),
  },
  strict,
);
/** 200 whether accepted or refused: a refusal is an answer, not an error. */
export const EvidenceAnswer = Type.Object(
  {
    status: Type.Union([Type.Literal('accepted'), Type.Literal('refused')]),
    checks: Type.Array(CheckSummary),
    /** When the machine should come with the next quote. */
    nextAttestationMs: Type.Integer({ minimum: 1000 }),
  },
  strict,
);
export type EvidenceAnswer = Static<typeof EvidenceAnswer>;

/** POST /v1/unattested: a machine that cannot be attested at all says so (no TPM, legacy BIOS without one …). Never stored as a machine with a verdict. */
export const UnattestedNotice = Type.Object(
  {
    sessionPublicKey: base64(512),
    reason: Type.Union([Type.Literal('TPM_ABSENT'), Type.Literal('TPM_FAILED')]),
    detail: Type.String({ maxLength: 500 }),
    bootMode: Type.Union([Type.Literal('uefi'), Type.Literal('bios')]),
    clientVersion: Type.String({ maxLength: 100 }),
  },
  strict,
);
export type UnattestedNotice = Static<typeof UnattestedNotice>;

/** GET /v1/machines, a page at a time: `next`, when there is more, goes into `?after=`. The machine that enrolled last comes first. */
export const MachineSummary = Type.Object(
  {
    machineId: MachineId,
    attestation: Type.Union([
      Type.Literal('enrolled'),
      Type.Literal('accepted'),
      Type.Literal('refused'),
      Type.Literal('unattested'),
    ]),
    reason: Type.Optional(Type.String()),
    firstSeenAt: Type.String(),
    lastSeenAt: Type.String(),
  },
  strict,
);
export const PageCursor = Type.String({ pattern: '^[0-9]{1,14}-[0-9a-f]{64}$' });
export const MachineList = Type.Object(
  { machines: Type.Array(MachineSummary), next: Type.Optional(PageCursor) },
  strict,
);
export type MachineList = Static<typeof MachineList>;

/** The broker's signed word that this AK lives in the TPM with this EK: `statement` is JSON {ekName, akName, activatedAt} in UTF-8. */
export const ActivationTranscript = Type.Object(
  { statement: base64(4096), signature: base64(256), brokerPublicKey: base64(512) },
  strict,
);

/**
 * What the broker judged with, so that a third party can ask whether its own rules are the same. Stated, not proven: a
 * verifier chooses policy and trust by itself, and takes reference values from here only by an id that it knows already.
 */
export const ReportJudgement = Type.Object(
  {
    /** When the broker judged, ISO 8601. */
    time: Type.String({ maxLength: 40 }),
    policy: Type.Unknown(),
    /** RFC 6920 URI over policy and reference ids. */
    policyId: Type.String({ maxLength: 200 }),
    /** SHA-256 of each file of reference values in canonical JSON (RFC 8785). */
    referenceIds: Type.Array(hex(32), { maxItems: 32 }),
    /** The same values themselves, in the same order, or none. */
    referenceValues: Type.Array(Type.Unknown(), { maxItems: 32 }),
    /** Certificates that this TPM's chain needs and its evidence lacks: its EK certificate got elsewhere, intermediates. */
    certificates: Type.Array(base64(8192), { maxItems: 16 }),
    /** What judging again can and cannot show, in plain sentences. */
    limits: Type.Array(Type.String({ maxLength: 1000 }), { maxItems: 32 }),
  },
  strict,
);
export type ReportJudgement = Static<typeof ReportJudgement>;

/** Name of an object (Part 1 §16): algorithm, then digest. */
const tpmName = Type.String({ pattern: '^[0-9a-f]{44,132}$' });

/**
 * GET /v1/machines/:machineId/report: all a third party needs to judge again. `challenge` is stated for reading; a
 * verifier uses the one it was given. The `verdict` inside is the broker's opinion and decides nothing elsewhere.
 * Version 1 has no `judgement`, version 2 has one. `buyer` is there when a verifier asked through the broker: its quote is in
 * the role `seller-to-buyer`, and whoever wrapped `secret` for these two Names can
 * tell from `answer` that the TPM opened it. It is no proof to others.
 */
export const ReportDocument = Type.Object(
  {
    format: Type.Literal('cpushare-report'),
    version: Type.Union([Type.Literal(1), Type.Literal(2)]),
    machineId: MachineId,
    brokerId: hex(32),
    challenge: hex(32),
    receivedAt: Type.String(),
    evidence: EvidenceDocument,
    activation: ActivationTranscript,
    judgement: Type.Optional(ReportJudgement),
    buyer: Type.Optional(
      Type.Object({ ekName: tpmName, akName: tpmName, secret: hex(32), answer: Type.Optional(hex(32)) }, strict),
    ),
    verdict: Type.Unknown(),
  },
  strict,
);
export type ReportDocument = Static<typeof ReportDocument>;

/** A radio network with WPA2- or WPA3-Personal. Never part of evidence: see src/sell-client/configuration/measured-form.ts. */
export const WifiSettings = Type.Object(
  {
    /** SSID: at most 32 bytes in UTF-8, which the pattern cannot count. */
    networkName: Type.String({ pattern: '^[^\\u0000-\\u001f\\u007f]+$', minLength: 1, maxLength: 32 }),
    /** 8 to 63 ASCII characters, or the 64 hex digits that are computed from them. */
    key: Type.String({ pattern: '^([ -~]{8,63}|[0-9A-Fa-f]{64})$' }),
    /** The network does not send its name. */
    hidden: Type.Optional(Type.Boolean()),
  },
  strict,
);
export type WifiSettings = Static<typeof WifiSettings>;

/** The file `cpushare.json` on the volume labelled CPUSHARE: data only, measured before use. */
export const SellerConfiguration = Type.Object(
  {
    /** https://host:port of the broker. */
    broker: Type.String({ pattern: '^https://[^/?#@]+$', maxLength: 255 }),
    /** brokerId to expect: SHA-256 of the broker certificate's SubjectPublicKeyInfo. */
    brokerPin: hex(32),
    /** Only from a volume, and only for an image that has a Wi-Fi client. */
    wifi: Type.Optional(WifiSettings),
  },
  strict,
);
export type SellerConfiguration = Static<typeof SellerConfiguration>;

/** GET /v1/broker/keys: the key that signs results, as a JWK Set (RFC 7517). The same key as the broker's TLS certificate has. */
export const BrokerKeys = Type.Object(
  {
    keys: Type.Array(
      Type.Object(
        {
          kty: Type.Literal('EC'),
          crv: Type.Literal('P-256'),
          x: Type.String(),
          y: Type.String(),
          use: Type.Literal('sig'),
          alg: Type.Literal('ES256'),
          /** RFC 7638 thumbprint. */
          kid: Type.String(),
        },
        strict,
      ),
    ),
  },
  strict,
);
export type BrokerKeys = Static<typeof BrokerKeys>;
