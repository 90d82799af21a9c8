/** `MachineTpm` on tpm2-ts: the keys are made once at opening, since an RSA key takes some TPMs many seconds. */
import { createHash } from 'node:crypto';
import { tpmsAttest } from 'tpm2-ts/attest';
import { type Ak, activateCredential, createAk, createEk, type Ek, quote } from 'tpm2-ts/attester';
import { decode } from 'tpm2-ts/codec';
import type { Tpm } from 'tpm2-ts/command';
import { pcrExtend } from 'tpm2-ts/commands-state';
import { chooseEk } from 'tpm2-ts/ek-certificates';
import { readPcrs, supportsEcc, tpmProperties } from 'tpm2-ts/facts';
import { equalBytes } from '../../shared/bytes.ts';
import { CodedError } from '../../shared/errors.ts';
import type { MachineQuote, MachineTpm, PcrBank } from './machine-tpm.ts';

export class MachineTpmError extends CodedError<'TPM_PCRS_UNSTABLE' | 'TPM_NO_SHA256_BANK'> {}

const BANK = 'sha256';
/** A module being loaded moves register 10 between the two commands; that does not go on for ever. */
const READ_ATTEMPTS = 5;

/** Takes over `tpm`: closed with the result, also when opening fails. */
export async function openMachineTpm(tpm: Tpm): Promise<MachineTpm> {
  try {
    const { manufacturer } = await tpmProperties(tpm);
    const { kind, certificates } = await chooseEk(tpm);
    const akKind = (await supportsEcc(tpm)) ? 'ecc' : 'rsa';
    const ek = await createEk(tpm, kind);
    const ak = await createAk(tpm, akKind);
    return {
      manufacturer,
      keys: akKind === 'ecc' ? 'ECC P-256' : 'RSA-2048',
      akPublic: ak.publicArea,
      ekPublic: ek.publicArea,
      ekCertificates: certificates,
      activate: (credentialBlob, encryptedSecret) =>
        activateCredential(tpm, { ek, ak, credentialBlob, encryptedSecret }),
      quote: (pcrs, qualifyingData) => quoteWithValues(tpm, ak, pcrs, qualifyingData),
      close: () => closeAll(tpm, ek, ak),
    };
  } catch (error) {
    await tpm.close().catch(() => undefined);
    throw error;
  }
}

/** The registers of the bank that everything here is about. */
export function pcrBank(tpm: Tpm): PcrBank {
  return {
    read: async (index) => {
      const value = (await readPcrs(tpm, BANK, [index])).get(index);
      if (value === undefined) throw noBank();
      return value;
    },
    extend: (index, digest) => pcrExtend(tpm, { pcr: index, digests: [{ hash: BANK, digest }] }),
  };
}

/** Values are read beside the quote, again and again until they hash to the digest that the quote states. */
async function quoteWithValues(
  tpm: Tpm,
  ak: Ak,
  pcrs: readonly number[],
  qualifyingData: Uint8Array,
): Promise<MachineQuote> {
  for (let attempt = 0; attempt < READ_ATTEMPTS; attempt += 1) {
    const { quoted, signature } = await quote(tpm, ak, [{ hash: BANK, pcrs }], qualifyingData);
    const statement = decode(tpmsAttest, quoted, 'quote');
    const values = await readPcrs(tpm, BANK, pcrs);
    const digest = createHash('sha256');
    for (const pcr of pcrs) digest.update(values.get(pcr) ?? new Uint8Array());
    if (statement.type === 'quote' && equalBytes(digest.digest(), statement.pcrDigest)) {
      return { quote: quoted, signature, values: Object.fromEntries(values) };
    }
  }
  throw new MachineTpmError('TPM_PCRS_UNSTABLE', `registers changed during ${READ_ATTEMPTS} quotes in a row`, {
    nextStep: 'it is tried again by itself',
  });
}

async function closeAll(tpm: Tpm, ek: Ek, ak: Ak): Promise<void> {
  await ek.flush().catch(() => undefined);
  await ak.flush().catch(() => undefined);
  await tpm.close();
}

function noBank(): MachineTpmError {
  return new MachineTpmError('TPM_NO_SHA256_BANK', 'the TPM has its SHA-256 registers switched off', {
    nextStep: 'turn on the SHA-256 bank of the TPM in the firmware setup',
  });
}
