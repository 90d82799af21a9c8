/** TPMT_SIGNATURE, Part 2 §11.3.4: what TPM2_Quote, TPM2_Certify and TPM2_Sign return. */
import { hashAlgorithm } from './algorithms.ts';
import { oneOf, u16, type Value } from './codec.ts';
import { ALG } from './constants.ts';
import { taggedDigest } from './digest-list.ts';
import { eccParameter, rsaParameter } from './public-area.ts';
import { struct, tagged } from './struct.ts';

/** TPMS_SIGNATURE_RSA, §11.3.1. */
const rsaSignature = struct({ hash: hashAlgorithm, signature: rsaParameter });
/** TPMS_SIGNATURE_ECC, §11.3.2. */
const eccSignature = struct({ hash: hashAlgorithm, r: eccParameter, s: eccParameter });

/** The schemes that a verifier can check with public means; anything else is refused. */
export const tpmtSignature = tagged(
  { algorithm: oneOf(u16, { rsassa: ALG.rsassa, rsapss: ALG.rsapss, ecdsa: ALG.ecdsa }) },
  'algorithm',
  { rsassa: rsaSignature, rsapss: rsaSignature, ecdsa: eccSignature },
);
export type TpmtSignature = Value<typeof tpmtSignature>;

/**
 * Every scheme a TPM can name. `hmac` proves something only to who holds the same key, `null` proves nothing: a verifier
 * of evidence wants `tpmtSignature` instead.
 */
export const tpmtAnySignature = tagged(
  {
    algorithm: oneOf(u16, {
      rsassa: ALG.rsassa,
      rsapss: ALG.rsapss,
      ecdsa: ALG.ecdsa,
      ecdaa: ALG.ecdaa,
      sm2: ALG.sm2,
      ecschnorr: ALG.ecschnorr,
      hmac: ALG.hmac,
      null: ALG.null,
    }),
  },
  'algorithm',
  {
    rsassa: rsaSignature,
    rsapss: rsaSignature,
    ecdsa: eccSignature,
    ecdaa: eccSignature,
    sm2: eccSignature,
    ecschnorr: eccSignature,
    hmac: struct({ hmac: taggedDigest }),
    null: struct({}),
  },
);
export type TpmtAnySignature = Value<typeof tpmtAnySignature>;
