/** TPMT_SIGNATURE, Part 2 §11.3.4: only schemes that a verifier can check with public means; anything else is refused. */
import { hashAlgorithm } from './algorithms.ts';
import { oneOf, u16, type Value } from './codec.ts';
import { ALG } from './constants.ts';
import { eccParameter, rsaParameter } from './public-area.ts';
import { struct, tagged } from './struct.ts';

const rsaSignature = struct({ hash: hashAlgorithm, signature: rsaParameter });

export const tpmtSignature = tagged(
  { algorithm: oneOf(u16, { rsassa: ALG.rsassa, rsapss: ALG.rsapss, ecdsa: ALG.ecdsa }) },
  'algorithm',
  {
    rsassa: rsaSignature,
    rsapss: rsaSignature,
    ecdsa: struct({ hash: hashAlgorithm, r: eccParameter, s: eccParameter }),
  },
);
export type TpmtSignature = Value<typeof tpmtSignature>;
