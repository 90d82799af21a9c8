/**
 * Judges the quote: did this AK sign these bytes, do they answer our challenge, and do they cover the registers we asked
 * for with the values we were given. Nothing is read before what it rests on has passed.
 */
import type { TpmsQuote } from 'tpm2-ts/attest';
import { tpmsAttest } from 'tpm2-ts/attest';
import { decode } from 'tpm2-ts/codec';
import { RH } from 'tpm2-ts/constants';
import { TpmKeyError } from 'tpm2-ts/errors';
import { handleName, qualifiedName } from 'tpm2-ts/name';
import { rawSignature } from 'tpm2-ts/public-key';
import { type TpmtSignature, tpmtSignature } from 'tpm2-ts/signature';
import { concatBytes, equalBytes, toHex } from '../../shared/bytes.ts';
import type { AttestCrypto, HashName } from '../crypto/crypto.ts';
import type { Evidence } from '../evidence.ts';
import type { Request } from '../expected.ts';
import { type Failure, type Ledger, refuse } from '../ledger.ts';
import type { Policy } from '../policy/policy.ts';
import { MAX_CLAIMS_BYTES, parseClaims } from './claims.ts';
import type { JudgedKeys } from './keys.ts';
import type { PublicArea } from './public-area.ts';
import { qualifyingData } from './qualifying-data.ts';
import { type QuoteClock, quoteClockOf } from './quote-clock.ts';
import { type QuotedRegisters, registerValues, selectionFailure } from './quoted-registers.ts';
import { sessionKeyOf } from './session-key.ts';
import { malformed, suffix } from './tpm-decoding.ts';

const QUOTE_HEAD = 'ff5443478018';

/** What a quote proves once all of it has passed. */
export interface ProvenQuote {
  readonly registers: QuotedRegisters;
  readonly clock: QuoteClock;
}

/** Signature, kind, signer, binding, selection, values. Null after a failure. */
export function judgeQuote(
  evidence: Evidence,
  expected: Request & { readonly policy: Policy },
  keys: JudgedKeys,
  crypto: AttestCrypto,
  ledger: Ledger,
): ProvenQuote | null {
  const signature = signatureFailure(evidence, keys.ak, crypto);
  if (signature !== null) return refuse(ledger, 'quote-signature', signature);
  ledger.pass('quote-signature', 'The AK signed this quote.');

  const quote = readQuote(evidence.quote);
  if ('code' in quote) return refuse(ledger, 'quote-format', quote);
  ledger.pass('quote-format', 'The signed bytes are a quote made by a TPM.');

  const hierarchy = hierarchyOf(quote.qualifiedSigner, keys, crypto);
  if (hierarchy === null) {
    return refuse(ledger, 'quote-signer', {
      code: 'QUOTE_SIGNER_MISMATCH',
      family: 'false',
      sentence: `The quote names the signer ${toHex(quote.qualifiedSigner)}, which is not this AK.`,
    });
  }
  ledger.pass('quote-signer', 'The quote names this AK as its signer.');

  const binding = bindingFailure(evidence, expected, quote.extraData, crypto);
  if (binding !== null) return refuse(ledger, 'quote-binding', binding);
  ledger.pass(
    'quote-binding',
    'The quote answers our challenge and is bound to this session key, this broker and these claims.',
  );

  const selection = selectionFailure(quote, expected.policy);
  if (selection !== null) return refuse(ledger, 'quote-selection', selection);
  ledger.pass('quote-selection', 'The quote covers exactly the registers that were asked for.');

  const values = registerValues(evidence.pcrs, expected.policy);
  if ('code' in values) return refuse(ledger, 'quote-values', values);
  const pcrDigest = crypto.hash('sha256', concatBytes(...[...values.values()].flatMap((bank) => [...bank.values()])));
  if (!equalBytes(pcrDigest, quote.pcrDigest)) {
    return refuse(ledger, 'quote-values', {
      code: 'QUOTE_PCR_DIGEST_MISMATCH',
      family: 'false',
      sentence: 'The register values handed over are not the ones the TPM signed.',
    });
  }
  ledger.pass('quote-values', 'The register values are the ones the TPM signed.');
  return { registers: values, clock: quoteClockOf(quote, hierarchy === 'owner') };
}

function signatureFailure(
  evidence: Evidence,
  { key: ak, publicKey }: PublicArea,
  crypto: AttestCrypto,
): Failure | null {
  let signature: TpmtSignature;
  try {
    signature = decode(tpmtSignature, evidence.signature, 'signature');
  } catch (error) {
    return malformed(`SIGNATURE_${suffix(error)}`, "The quote's signature cannot be read", error);
  }
  // scheme and hash come from the key and must be repeated by the signature: nothing is guessed
  const scheme = ak.type === 'ecc' || ak.type === 'rsa' ? ak.scheme.algorithm : null;
  if (signature.algorithm !== scheme || signature.hash !== 'sha256') {
    return {
      code: 'SIGNATURE_SCHEME_MISMATCH',
      family: 'false',
      sentence: `The AK signs with ${scheme} and sha256, the signature says ${signature.algorithm} and ${signature.hash}.`,
    };
  }
  let valid = false;
  try {
    valid = crypto.verify({
      key: publicKey,
      scheme: signature.algorithm,
      hash: 'sha256',
      data: evidence.quote,
      signature: rawSignature(signature, ak),
    });
  } catch (error) {
    if (!(error instanceof TpmKeyError)) throw error; // a coordinate that does not fit the curve: no valid signature
  }
  if (valid) return null;
  return {
    code: 'QUOTE_SIGNATURE_INVALID',
    family: 'false',
    sentence: 'The signature over the quote was not made by this AK.',
    remedy: 'Ask the machine for a new quote; if it happens again, its evidence is forged or was damaged on the way.',
  };
}

function readQuote(bytes: Uint8Array): TpmsQuote | Failure {
  const head = toHex(bytes.subarray(0, 6));
  if (bytes.length >= 6 && !head.startsWith(QUOTE_HEAD.slice(0, 8))) {
    return {
      code: 'QUOTE_MAGIC_WRONG',
      family: 'false',
      sentence: `The signed bytes begin with ${head.slice(0, 8)}: not made by a TPM.`,
    };
  }
  if (bytes.length >= 6 && head !== QUOTE_HEAD) {
    return {
      code: 'QUOTE_TYPE_WRONG',
      family: 'false',
      sentence: `The signed bytes are a TPM statement of type ${head.slice(8)}, not a quote.`,
    };
  }
  try {
    return decode(tpmsAttest, bytes, 'quote') as TpmsQuote; // the head was checked: type is quote
  } catch (error) {
    return malformed(`QUOTE_${suffix(error)}`, 'The quote cannot be read', error);
  }
}

/** Where the AK lives: a primary key of a hierarchy, as ours is, or a child of the EK. Null: the quote names another key. */
function hierarchyOf(
  qualifiedSigner: Uint8Array,
  { ak, ek }: JudgedKeys,
  crypto: AttestCrypto,
): 'endorsement' | 'owner' | null {
  const digest = (algorithm: string, data: Uint8Array): Uint8Array => crypto.hash(algorithm as HashName, data);
  const names = (parent: Uint8Array): boolean => equalBytes(qualifiedName(parent, ak.name, digest), qualifiedSigner);
  if (names(handleName(RH.endorsement))) return 'endorsement';
  if (names(handleName(RH.owner))) return 'owner';
  return names(qualifiedName(handleName(RH.endorsement), ek.name, digest)) ? 'endorsement' : null;
}

function bindingFailure(
  evidence: Evidence,
  expected: Request,
  extraData: Uint8Array,
  crypto: AttestCrypto,
): Failure | null {
  const { sessionPublicKey, claims } = evidence;
  if (sessionKeyOf(sessionPublicKey) === null) {
    const sentence = `The session key (${sessionPublicKey.length} bytes) is no P-256 key in its one spelling.`;
    return { code: 'SESSION_KEY_MALFORMED', family: 'malformed', sentence };
  }
  if (claims.length > MAX_CLAIMS_BYTES) {
    const sentence = `The claims have ${claims.length} bytes, at most ${MAX_CLAIMS_BYTES} are read.`;
    return { code: 'CLAIMS_MALFORMED', family: 'malformed', sentence };
  }
  const { challenge, brokerId, role = 'seller' } = expected;
  const bind = (over: Uint8Array): Uint8Array =>
    qualifyingData({ challenge: over, sessionPublicKey, role, brokerId, claims }, crypto);
  if (equalBytes(bind(challenge), extraData)) return null;
  const stated = statedChallenge(claims);
  if (stated !== null && equalBytes(bind(stated), extraData)) {
    return {
      code: 'CHALLENGE_MISMATCH',
      family: 'false',
      sentence: `The quote answers the challenge ${toHex(stated)}, not ours, ${toHex(challenge)}: it is a replay or meant for somebody else.`,
      difference: { component: 'challenge', expected: toHex(challenge), actual: toHex(stated) },
      remedy: 'Judge it with the challenge it was made for, or ask the machine for a new quote.',
    };
  }
  return {
    code: 'BINDING_MISMATCH',
    family: 'false',
    sentence:
      'The quote was made for another session key, role, broker, challenge or other claims than the ones handed over.',
    remedy:
      'Check the broker id and the challenge; a swapped session key or swapped claims mean that somebody sits in between.',
  };
}

/** Unproven: only used to say which kind of mismatch it is. */
function statedChallenge(claims: Uint8Array): Uint8Array | null {
  try {
    const { challenge } = parseClaims(claims);
    return Uint8Array.from({ length: 32 }, (_, index) =>
      Number.parseInt(challenge.slice(2 * index, 2 * index + 2), 16),
    );
  } catch {
    return null;
  }
}
