/**
 * The roots of TPM vendors that are known here, by SHA-256 of the certificate: facts, and no trust. A root counts only
 * once whoever judges has named it; then this table says whose it is and what kind of TPM it stands for. Besides roots it
 * holds authorities whose own issuer is not published any more, or signed them with SHA-1: they can be named themselves.
 * Fingerprints were computed from the certificates of the sources named; the collection of loicsikidi/tpm-ca-certificates
 * gives the vendors' own addresses, `keylime/…` is the file of that name in keylime/keylime, tpm_cert_store.
 */
import type { TpmClass } from '../evidence.ts';

export interface VendorRoot {
  /** SHA-256 of the DER certificate, lower-case hex. */
  readonly fingerprint: string;
  readonly vendor: string;
  readonly class: TpmClass;
  /** TCG Vendor ID Registry, as the EK certificate must name it (2.23.133.2.1); empty: the vendor has none. */
  readonly manufacturers: readonly string[];
  /** The common name; for people. */
  readonly subject: string;
  /** Where it was published. */
  readonly source: string;
}

type Vendor = Pick<VendorRoot, 'vendor' | 'class' | 'manufacturers'>;

const infineon: Vendor = { vendor: 'Infineon', class: 'hardware', manufacturers: ['id:49465800'] };
const stMicroelectronics: Vendor = { vendor: 'STMicroelectronics', class: 'hardware', manufacturers: ['id:53544D20'] };
/** Winbond made these chips before Nuvoton was split off. */
const nuvoton: Vendor = { vendor: 'Nuvoton', class: 'hardware', manufacturers: ['id:4E544300', 'id:57454300'] };
const nsing: Vendor = { vendor: 'NSING', class: 'hardware', manufacturers: ['id:4E534700'] };
const nationz: Vendor = { vendor: 'Nationz', class: 'hardware', manufacturers: ['id:4E545A00'] };
/** Platform Trust Technology: a program of the management engine. Intel makes no discrete TPM. */
const intel: Vendor = { vendor: 'Intel', class: 'firmware', manufacturers: ['id:494E5443'] };
/** fTPM: a program of the secure processor. */
const amd: Vendor = { vendor: 'AMD', class: 'firmware', manufacturers: ['id:414D4400'] };
/** A core inside the processors of several makers, whose TPM is firmware from Microsoft. */
const pluton: Vendor = {
  vendor: 'Microsoft Pluton',
  class: 'firmware',
  manufacturers: ['id:4D534654', 'id:414D4400', 'id:494E5443', 'id:51434F4D'],
};
/** Vouches for attestation keys of every kind of TPM, so nothing follows from it about the kind. */
const microsoftKeys: Vendor = { vendor: 'Microsoft', class: 'unknown', manufacturers: [] };
const google: Vendor = { vendor: 'Google', class: 'cloud', manufacturers: ['id:474F4F47'] };
const alibaba: Vendor = { vendor: 'Alibaba Cloud', class: 'cloud', manufacturers: [] };

const KEYLIME = 'https://github.com/keylime/keylime/blob/master/tpm_cert_store/';

function row(vendor: Vendor, fingerprint: string, subject: string, source: string): VendorRoot {
  return { ...vendor, fingerprint, subject, source: source.replace(/^keylime\//, KEYLIME) };
}

// biome-ignore format: one root per line
export const VENDOR_ROOTS: readonly VendorRoot[] = [
  row(infineon, 'cfeb02fecd55ad7a73c6e1d11985d4c47dee248ab63dcb66091a2489660443c3', 'Infineon OPTIGA(TM) ECC Root CA', 'https://pki.infineon.com/OptigaEccRootCA/OptigaEccRootCA.crt'),
  row(infineon, 'ee0c827555c4e9012037df4257bb8aaa26084a17b13ede41cd7895c8d6c11190', 'Infineon OPTIGA(TM) ECC Root CA 2', 'https://pki.infineon.com/OptigaEccRootCA2/OptigaEccRootCA2.crt'),
  row(infineon, '899e35474c9807eb4c7f2f7a12da0028fb250cd02154d0009fca7d9c66574f3b', 'Infineon OPTIGA(TM) RSA Root CA', 'https://pki.infineon.com/OptigaRsaRootCA/OptigaRsaRootCA.crt'),
  row(infineon, 'b413c71580af3ec5efe83fad31db2d4af4612355e3b01e50903b10763d738894', 'Infineon OPTIGA(TM) RSA Root CA 2', 'https://pki.infineon.com/OptigaRsaRootCA2/OptigaRsaRootCA2.crt'),
  row(infineon, 'ed80849cf19acd6df5895ab47c6ec91555a3081b4696b900f8e346e777177aed', 'IFX TPM EK Intermediate CA 05', 'keylime/IFX_RSA_05I.pem'),
  row(infineon, 'cb1a77acd98db771d35b1977eb82485f0e0f64f6deb0577a97330b5b532eb7ed', 'IFX TPM EK Intermediate CA 17', 'keylime/IFX_RSA_17I.pem'),
  row(infineon, '10ef22859b0a98121129aa0c4647a91fd412a5a79f1c628db3bfea4278d49abf', 'IFX TPM EK Intermediate CA 01', 'keylime/IFX1.pem'),
  row(infineon, 'b33027e90f3f47bb5c0c54b18451121af0211a568eca51b68927280707b42f0e', 'IFX TPM EK Intermediate CA 02', 'keylime/IFX2.pem'),
  row(infineon, '608dd48ff87759f404917c7471ec8cbe7ad972c1699d810f0e1a70fb2b02573f', 'IFX TPM EK Intermediate CA 08', 'keylime/IFX_RSA_08I.pem'),
  row(infineon, 'c2b50c0544fbfae3f8257410818bd2228759c04150989982c1b42c397abf00a8', 'IFX TPM EK Intermediate CA 04', 'keylime/IFX_RSA_04I.pem'),
  row(infineon, '8a3e7db4445c4a795fb9e524db3ed2edf96f8423723f16ff5f71ca6b84a3e88c', 'IFX TPM EK Intermediate CA 15', 'keylime/IFX15.pem'),
  row(infineon, '014df370f125f4bc18c9fc4b41c17ec2311e8514fc9b622f5a633c10287c1ebd', 'IFX TPM EK Intermediate CA 21', 'keylime/IFX_RSA_21I.pem'),
  row(infineon, '73a42ded6eab007af264a51c5a3956092cdbf5a6d209303a4e0d57416d762067', 'IFX TPM EK Intermediate CA 20', 'keylime/IFX_RSA_20I.pem'),
  row(infineon, '9cd83ef4897819d545d3cccccf33ba7947e34439a93c5d45a3f136303e1c248e', 'IFX TPM EK Intermediate CA 18', 'keylime/IFX_RSA_18I.pem'),
  row(infineon, '2b2ab3993b854e496569fd1f187a383617eec1574bef0fa8c34bc013da40935f', 'IFX TPM EK Intermediate CA 03', 'keylime/IFX_RSA_03I.pem'),
  row(infineon, '7df2c3751c03ce003e99174d9cb2559f57a1b05b1920dd30bb6f8dfcf17f5e62', 'IFX TPM EK Root CA', 'keylime/IFX_RSA_RT.pem'),
  row(stMicroelectronics, '5a8c7b5eb888cfce9322068e80e82b28b554ffeb7fdc9638dcb3763077401d26', 'GlobalSign Trusted Platform Module ECC Root CA', 'https://secure.globalsign.com/cacert/tpmeccroot.crt'),
  row(stMicroelectronics, 'f27bf02c6e00c73d915eeb6a6a2f5fbf0c31ae0393149e6b5c31e41b113841c3', 'GlobalSign Trusted Platform Module Root CA', 'https://secure.globalsign.com/cacert/gstpmroot.crt'),
  row(stMicroelectronics, 'c541d7e5b9e3f935621acbd403896225ec641036c9ae3b5f7ac793a606ff9b79', 'STM TPM ECC Root CA 01', 'https://secure.globalsign.com/cacert/stmtpmeccroot01.crt'),
  row(stMicroelectronics, 'f8e37a86b689a20a6cc0c40cc3f81fb130fa9f44ce7ffa60d62590aaf87273a9', 'STM TPM EK Root CA', 'https://secure.globalsign.com/cacert/stmtpmekroot.crt'),
  row(stMicroelectronics, 'fd1e7b68accd825636b27b3177c67402d463a7f04c97b6c47ab705fcdc1a04f6', 'STSAFE ECC Root CA 02', 'https://sw-center.st.com/STSAFE/STSAFEEccRootCA02.crt'),
  row(stMicroelectronics, 'c8f179943356e13d9d84b100201cefabbf408880241e5329e60d950ce1dea623', 'STSAFE RSA Root CA 02', 'https://sw-center.st.com/STSAFE/STSAFERsaRootCA02.crt'),
  row(nuvoton, '083e7bd13e8fe0bb9b0c64db9e0c8356681df65714d2d5c4925eb98ae1369d40', 'NPCTxxx ECC521 RootCA', 'https://www.nuvoton.com/security/NTC-TPM-EK-Cert/NPCTxxxECC521RootCA.cer'),
  row(nuvoton, '2782e51a95e86d9557fe4204316cf805bd6f5898f81f9732e944d742bcdc5f54', 'Nuvoton TPM Root CA 1110', 'https://www.nuvoton.com/security/NTC-TPM-EK-Cert/Nuvoton%20TPM%20Root%20CA%201110.cer'),
  row(nuvoton, 'e38c280f7c0e0b49f31efc7531032bb6a86c3fba4eb89beb1d510eaa4510ae4a', 'Nuvoton TPM Root CA 1111', 'https://www.nuvoton.com/security/NTC-TPM-EK-Cert/Nuvoton%20TPM%20Root%20CA%201111.cer'),
  row(nuvoton, 'cd8185ff8995ed09811970090a8c36fafab34ef87f47fa51fdb9ecf95c9c2e04', 'Nuvoton TPM Root CA 2111', 'https://www.nuvoton.com/security/NTC-TPM-EK-Cert/Nuvoton%20TPM%20Root%20CA%202111.cer'),
  row(nuvoton, '66e3a1013d4f697700f731e7d68c69b58351f90ec9580d85862d020ab4abf1af', 'Nuvoton TPM Root CA 2112', 'https://www.nuvoton.com/security/NTC-TPM-EK-Cert/Nuvoton%20TPM%20Root%20CA%202112.cer'),
  row(nuvoton, 'ba70a6ea7b77c7fee8947a07b1e70e0b26d39ce5e6307f63d5e4b9507f19a157', 'NuvotonTPMRootCA1210', 'https://www.nuvoton.com/security/NTC-TPM-EK-Cert/NuvotonTPMRootCA1210.cer'),
  row(nuvoton, 'fc61abbc18100f460205ebe09d8c3e6995ac2be2234344a7facb62e15f9a7584', 'NuvotonTPMRootCA2210', 'https://www.nuvoton.com/security/NTC-TPM-EK-Cert/NuvotonTPMRootCA2210.cer'),
  row(nuvoton, '2bbc5db224b8f28a6d2cf336d4da7ab21c8c490e3d60ef497801dc0b6ac00227', 'NuvotonTPMRootCA2211', 'https://www.nuvoton.com/security/NTC-TPM-EK-Cert/NuvotonTPMRootCA2211.cer'),
  row(nuvoton, '4aebe77a51ed29959a7f9f5e07a24a558dee8167f3985d724995a541c258dfda', 'Nuvoton TPM Root CA 2110', 'keylime/NUVO_2110.pem'),
  row(nuvoton, '8fac94b462b37acb84431bdc71395585caf518c17f656051ff9c4347a4726ed9', 'NTC TPM EK Root CA 02', 'keylime/NTC2.pem'),
  row(nuvoton, '887bc9658ffc6ad7f4eeb85c8819772ff609ee64c4dac4a6dca654a39e94b289', 'Nuvoton TPM Root CA 0100', 'keylime/NUVO_0100.pem'),
  row(nuvoton, '56b67007f448bd5c5746299fcdea9323971bbdaaefd8e3b9b84773abc888c90e', 'NTC TPM EK Root CA 01', 'keylime/NTC1.pem'),
  row(nsing, '6ccf8a8a803d07a002a15d4889ffa0b125e4a82a1fe4211db3c6e8592919f9dc', 'NSING TPM ECC ROOT CA 001', 'https://pki.nsing.com.sg/NSEccRootCA001/NSEccRootCA001.crt'),
  row(nsing, '72ca00612395af027cd84c5514219f110e964dfa0bfc1efbb3ac147e3b173971', 'NSING TPM RSA ROOT CA 001', 'https://pki.nsing.com.sg/NSRsaRootCA001/NSRsaRootCA001.crt'),
  row(nationz, '44afc4b65d4f617143cf3085637e88e6ecc7710f9594b37f65a3dea82d300ba3', 'Nationz TPM Manufacturing CA 001', 'keylime/Nationz_TPM_EK.pem'),
  row(intel, 'beb40bb7507b33967226aa80e084749fbb6593893c642e818d682e9a8d07fc24', 'OnDie CA Root Cert Signing (www.intel.com)', 'https://tsci.intel.com/content/OnDieCA/certs/OnDie_CA_RootCA_Certificate.cer'),
  row(intel, '2e1b3ba79af56d758be51697621bc4b9e8cee0983db3e749c55eb9b37c6d2ae0', 'TPM EK root cert signing (www.intel.com)', 'keylime/INTEL_RT.pem'),
  row(pluton, '593a1794f9e17476c7ad427d2908a97c451451c9e0939fdc80d5d662c232d401', 'AMD Pluton Global Factory ICA', 'https://ftpm.amd.com/hsp/ica/AMD-Pluton-Global-Factory-ICA.crt'),
  row(amd, '14aac9fd58471a612afd75d8c0955daf99f091b1863702f9e0d4113faf234f9d', 'AMDTPM (ECC)', 'https://ftpm.amd.com/pki/aia/23452201D41C5AB064032BD23F158FEF'),
  row(amd, '67bd2472a546751caca5f358a78f80727531671338960a9bcfdfbe6a34d0c6a1', 'AMDTPM (RSA)', 'https://ftpm.amd.com/pki/aia/264D39A23CEB5D5B49D610044EEBD121'),
  row(pluton, '32ab5fe7cb4396659fcb621ca14c6fb8fc2420f64050637d77e45a86c5d3916e', 'Microsoft Pluton Root CA 2021', 'https://www.microsoft.com/pkiops/certs/Microsoft%20Pluton%20Root%20CA%202021.crt'),
  row(microsoftKeys, '870c7a35ceab3d59979f2c6a524042d404cb71518004350925fb2ced79a999da', 'Microsoft TPM Root Certificate Authority 2014', 'https://www.microsoft.com/pkiops/certs/Microsoft%20TPM%20Root%20Certificate%20Authority%202014.crt'),
  row(google, '9bd5285f8fb18502a7947e621ffd470266f49fcd3b73e19a190f690ad32a7caf', 'tpm_ek_v1_cloud_host_root-signer-0-2018-04-06T10:58:26-07:00 K:1, 1:Pw003HsFYO4:0:18', 'https://pki.goog/cloud_integrity/tpm_ek_root_1.crt'),
  row(google, '594759594b9b61524f6c8ef668f7177f7b9066bc0674f2f49fe9e052be78beb2', 'EK/AK CA Root', 'https://pki.goog/cloud_integrity/gcp_ek_ak_ca_root.crt'),
  row(alibaba, '141805f04cd9b89bfbcd30cb792d5ca3a0a2382db6ee35720e6e27e4189e43a0', 'Aliyun TPM EKMF CA', 'keylime/Alibaba_Cloud_vTPM_EK.pem'),
];

const byFingerprint = new Map(VENDOR_ROOTS.map((root) => [root.fingerprint, root]));

/** `fingerprint`: lower-case hex of SHA-256. */
export const vendorRootOf = (fingerprint: string): VendorRoot | null => byFingerprint.get(fingerprint) ?? null;
