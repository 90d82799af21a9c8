import { EK_TEMPLATES } from 'tpm2-ts/templates';
import { describe, expect, it } from 'vitest';
import { nodeAttestCrypto as crypto } from '../crypto/crypto-node.ts';
import { ekCertificateUrls } from './ek-url.ts';

// digests of fixed keys, computed by another program over the bytes that tpm2_getekcertificate hashes
describe('where EK certificates are handed out', () => {
  it('for RSA: modulus and exponent (Intel); a mark, exponent and modulus (AMD)', () => {
    const urls = ekCertificateUrls({ ...EK_TEMPLATES.rsa, unique: new Uint8Array(256).fill(0xab) }, crypto);
    expect(urls).toEqual(RSA);
  });

  it('for a curve: x and y (Intel); a mark, x and y (AMD); leading zeros that a TPM left out count', () => {
    const x = new Uint8Array(32).fill(1);
    const y = new Uint8Array(32).fill(2);
    y[0] = 0;
    expect(ekCertificateUrls({ ...EK_TEMPLATES.ecc, unique: { x, y } }, crypto)).toEqual(ECC);
    expect(ekCertificateUrls({ ...EK_TEMPLATES.ecc, unique: { x, y: y.subarray(1) } }, crypto)).toEqual(ECC);
  });

  it('for another object: nowhere', () => {
    const symmetric = {
      type: 'keyedHash',
      nameAlg: 'sha256',
      attributes: EK_TEMPLATES.rsa.attributes,
      authPolicy: new Uint8Array(),
      scheme: { algorithm: 'null' },
      unique: new Uint8Array(32),
    } as const;
    expect(() => ekCertificateUrls(symmetric, crypto)).toThrow(expect.objectContaining({ code: 'EK_KEY_UNSUITABLE' }));
  });
});

const RSA = {
  intel: 'https://ekop.intel.com/ekcertservice/0derUO1WPNzOxkggBKz77pbCl3aVS2QNwtnYV2cWN2U%3D',
  amd: 'https://ftpm.amd.com/pki/aia/68bad76300f2615761c31914fffadab0',
};
const ECC = {
  intel: 'https://ekop.intel.com/ekcertservice/_WRuK8jAubb5fYR7ZS_IWBoIdD94kix1DhcAEP5v7Zk%3D',
  amd: 'https://ftpm.amd.com/pki/aia/5f5576f18d9c27b76fd86de27df0ac64',
};
