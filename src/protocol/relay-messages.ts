/**
 * A verifier's own challenge, carried by the broker (docs/decisions/0005-buyer-challenge-relay.md): what verifier, broker and
 * machine say to each other about it.
 */
import { type Static, Type } from 'typebox';
import { base64, hex, strict } from './fields.ts';
import { ActivationTranscript, EvidenceDocument, MachineId, PcrSelection, sessionSignature } from './messages.ts';

/** GET /v1/machines/:machineId/keys: what a verifier needs to make a challenge and a credential of its own. Untrusted until judged. */
export const MachineKeys = Type.Object(
  {
    machineId: MachineId,
    brokerId: hex(32),
    ekPublic: base64(1024),
    /** The AK that was activated last. */
    akPublic: base64(1024),
    activation: ActivationTranscript,
  },
  strict,
);
export type MachineKeys = Static<typeof MachineKeys>;

const CredentialForAnswer = Type.Object({ credentialBlob: base64(512), encryptedSecret: base64(1024) }, strict);

/**
 * POST /v1/machines/:machineId/verifications: a verifier's own challenge, and its own credential for the machine's EK and
 * AK (MakeCredential over `answerableSecret`, src/attest/quote/activation-answer.ts). The broker only carries them.
 */
export const VerificationRequest = Type.Object(
  { challenge: hex(32), credential: Type.Optional(CredentialForAnswer) },
  strict,
);
export type VerificationRequest = Static<typeof VerificationRequest>;
export const VerificationReceipt = Type.Object({ verificationId: hex(16), expiresAt: Type.String() }, strict);
export type VerificationReceipt = Static<typeof VerificationReceipt>;

/** Why a machine gives no evidence: BUSY, it has answered too many; CREDENTIAL_REFUSED, its TPM did not open the credential. */
const failure = Type.Union([Type.Literal('BUSY'), Type.Literal('CREDENTIAL_REFUSED'), Type.Literal('TPM_FAILED')]);
export type VerificationFailure = Static<typeof failure>;

/** GET /v1/verifications/:verificationId. `answer` is `activationAnswer` over this evidence, there when a credential was sent. */
export const Verification = Type.Object(
  {
    verificationId: hex(16),
    machineId: MachineId,
    state: Type.Union([Type.Literal('waiting'), Type.Literal('answered'), Type.Literal('failed')]),
    expiresAt: Type.String(),
    answeredAt: Type.Optional(Type.String()),
    evidence: Type.Optional(EvidenceDocument),
    answer: Type.Optional(hex(32)),
    failure: Type.Optional(failure),
  },
  strict,
);
export type Verification = Static<typeof Verification>;

/** POST /v1/machines/:machineId/pending: the machine asks for work, and may be kept waiting for it. */
export const MAX_POLL_WAIT_MS = 30_000;
export const PendingRequest = Type.Object(
  { waitMs: Type.Integer({ minimum: 0, maximum: MAX_POLL_WAIT_MS }), signature: sessionSignature },
  strict,
);
export type PendingRequest = Static<typeof PendingRequest>;
/** To be quoted in the role `seller-to-buyer`. */
export const PendingVerification = Type.Object(
  {
    verificationId: hex(16),
    challenge: hex(32),
    pcrSelection: PcrSelection,
    credential: Type.Optional(CredentialForAnswer),
  },
  strict,
);
export type PendingVerification = Static<typeof PendingVerification>;
export const PendingAnswer = Type.Object(
  {
    verification: Type.Optional(PendingVerification),
    /** How long the machine shall wait before it asks again when there was nothing. */
    nextPollMs: Type.Integer({ minimum: 0 }),
  },
  strict,
);
export type PendingAnswer = Static<typeof PendingAnswer>;

/** POST /v1/machines/:machineId/verifications/:verificationId/evidence; 204. Evidence or the reason why there is none. */
export const VerificationAnswer = Type.Object(
  {
    evidence: Type.Optional(EvidenceDocument),
    answer: Type.Optional(hex(32)),
    failure: Type.Optional(failure),
    signature: sessionSignature,
  },
  strict,
);
export type VerificationAnswer = Static<typeof VerificationAnswer>;
