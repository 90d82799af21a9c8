/**
 * Proof that the AK lives in the TPM of the EK. Only the verifier who ran credential activation has seen it; everybody
 * else reads that verifier's signed word, the transcript, and says so.
 */
import { concatBytes, equalBytes, toHex } from '../../shared/bytes.ts';
import { CodedError } from '../../shared/errors.ts';
import type { AttestCrypto } from '../crypto/crypto.ts';
import { object, readJson, text } from '../strict-json.ts';
import { type AnsweredQuote, activationAnswer, isAnswerable } from './activation-answer.ts';
import { verifyP256 } from './session-key.ts';

const LABEL = new TextEncoder().encode('cpushare-live/activation\0');

export class ActivationError extends CodedError<
  'ACTIVATION_MALFORMED' | 'ACTIVATION_BROKER_MISMATCH' | 'ACTIVATION_SIGNATURE_INVALID' | 'ACTIVATION_ANSWER_INVALID'
> {}

/** TPM Names in hex: nameAlg, then the digest of the public area. */
export interface ActivationStatement {
  readonly ekName: string;
  readonly akName: string;
  /** ISO 8601, UTC. */
  readonly activatedAt: string;
}

export interface ActivationTranscript {
  /** UTF-8 JSON of an `ActivationStatement`, exactly as signed. */
  readonly statement: Uint8Array;
  /** ECDSA P-256 with SHA-256, P1363, over `activationSignatureInput(statement)`. */
  readonly signature: Uint8Array;
  /** SubjectPublicKeyInfo DER; its SHA-256 is the broker id. */
  readonly brokerPublicKey: Uint8Array;
}

/**
 * witnessed: this verifier ran the activation itself and saw the secret come back. answered: it ran it through others, and
 * the machine answered with an HMAC under the secret (activation-answer.ts); only who made the secret may take this for a
 * proof. transcript: a broker vouches for it.
 */
export type ActivationProof =
  | { readonly kind: 'witnessed'; readonly ekName: string; readonly akName: string }
  | ({ readonly kind: 'answered' } & AnsweredActivation)
  | { readonly kind: 'transcript'; readonly transcript: ActivationTranscript };

export interface AnsweredActivation {
  /** The Names the credential was made for, hex. */
  readonly ekName: string;
  readonly akName: string;
  /** What was wrapped: `answerableSecret`. */
  readonly secret: Uint8Array;
  /** `activationAnswer` as it came back; null when none came. */
  readonly answer: Uint8Array | null;
}

const name = text(132, /^(0004[0-9a-f]{40}|000b[0-9a-f]{64}|000c[0-9a-f]{96}|000d[0-9a-f]{128})$/);
const statementShape = object({
  ekName: name,
  akName: name,
  activatedAt: text(40, /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?Z$/),
});

export function encodeActivationStatement(statement: ActivationStatement): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(statement));
}

export function activationSignatureInput(statement: Uint8Array): Uint8Array {
  return concatBytes(LABEL, statement);
}

/** The Names, once the answer is one that only the TPM with this EK, holding this AK, could give for this quote. @throws ActivationError */
export function verifyActivationAnswer(
  activation: AnsweredActivation,
  answered: AnsweredQuote,
  crypto: Pick<AttestCrypto, 'hash'>,
): Pick<ActivationStatement, 'ekName' | 'akName'> {
  const { ekName, akName, secret, answer } = activation;
  // One constant text: neither the secret nor what the answer should have been may get into a log.
  const wrong = new ActivationError(
    'ACTIVATION_ANSWER_INVALID',
    'the machine did not show that its TPM opened the secret',
  );
  if (!isAnswerable(secret) || answer === null) throw wrong;
  if (!equalBytes(activationAnswer(secret, answered, crypto), answer)) throw wrong;
  return { ekName, akName };
}

/** The statement, once its signature and the signer's identity hold. @throws ActivationError */
export function verifyActivationTranscript(
  transcript: ActivationTranscript,
  brokerId: Uint8Array,
  crypto: AttestCrypto,
): ActivationStatement {
  const signer = toHex(crypto.hash('sha256', transcript.brokerPublicKey));
  if (signer !== toHex(brokerId)) {
    throw new ActivationError(
      'ACTIVATION_BROKER_MISMATCH',
      `the activation is signed by the key of broker ${signer}, not of broker ${toHex(brokerId)}`,
    );
  }
  const input = activationSignatureInput(transcript.statement);
  if (!verifyP256(transcript.brokerPublicKey, input, transcript.signature, crypto)) {
    throw new ActivationError('ACTIVATION_SIGNATURE_INVALID', "the broker's signature does not cover this activation");
  }
  try {
    return readJson(transcript.statement, statementShape, 'activation statement');
  } catch (cause) {
    throw new ActivationError('ACTIVATION_MALFORMED', 'the activation statement cannot be read', { cause });
  }
}
