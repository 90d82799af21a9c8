/** TPMS_ATTEST, Part 2 §10.12: what a TPM signs. Decoding proves nothing; the signature must be checked over the same bytes. */
import { hashAlgorithm } from './algorithms.ts';
import { oneOf, sized, sizedBytes, u16, u32, u64, type Value, yesNo } from './codec.ts';
import { pcrSelections } from './pcr-selection.ts';
import { digest } from './public-area.ts';
import { constant, struct, tagged } from './struct.ts';

/** TPM2B_NAME, §10.5.3: a hash algorithm and its digest, or a handle. */
export const name = sizedBytes(66);
/** TPM2B_DATA, §10.4.3: the challenger's bytes. */
export const data = sizedBytes(66);
/** TPM_GENERATED_VALUE: what a restricted key never signs for anybody but its own TPM. */
export const TPM_GENERATED = 0xff54_4347;

/** TPMS_CLOCK_INFO, §10.11.1. `clock` is milliseconds the TPM has been powered; `safe` false: it may have gone back. */
export const clockInfo = struct({ clock: u64, resetCount: u32, restartCount: u32, safe: yesNo });
/** TPMS_TIME_INFO, §10.11.6. `time` is milliseconds since the last reset. */
export const timeInfo = struct({ time: u64, clockInfo });
export type TimeInfo = Value<typeof timeInfo>;

/** TPMS_ATTEST, §10.12.12. `type` selects the arm; an unknown type is an error, never a guess. */
export const tpmsAttest = tagged(
  {
    magic: constant(u32, TPM_GENERATED),
    type: oneOf(u16, {
      nv: 0x8014,
      commandAudit: 0x8015,
      sessionAudit: 0x8016,
      certify: 0x8017,
      quote: 0x8018,
      time: 0x8019,
      creation: 0x801a,
      nvDigest: 0x801c,
    }),
    qualifiedSigner: name,
    extraData: data,
    clockInfo,
    /** Vendor's number, obfuscated unless the signer is in the endorsement or platform hierarchy. */
    firmwareVersion: u64,
  },
  'type',
  {
    nv: struct({ indexName: name, offset: u16, nvContents: sizedBytes(2048) }),
    commandAudit: struct({ auditCounter: u64, digestAlg: hashAlgorithm, auditDigest: digest, commandDigest: digest }),
    sessionAudit: struct({ exclusiveSession: yesNo, sessionDigest: digest }),
    certify: struct({ name, qualifiedName: name }),
    quote: struct({ pcrSelect: pcrSelections, pcrDigest: digest }),
    time: struct({ time: timeInfo, timeFirmwareVersion: u64 }),
    creation: struct({ objectName: name, creationHash: digest }),
    nvDigest: struct({ indexName: name, nvDigest: digest }),
  },
);
export type TpmsAttest = Value<typeof tpmsAttest>;
/** TPM2B_ATTEST, §10.12.13: as TPM2_Quote, TPM2_Certify and the like return it. */
export const tpm2bAttest = sized(u16, tpmsAttest, 2304);
export type TpmsQuote = Extract<TpmsAttest, { readonly type: 'quote' }>;
