/**
 * Facts about Secure Boot keys, to give a certificate that a firmware measured its name. A name here
 * is no trust: what may have verified the start is the policy's word. Fingerprints are of published certificates.
 */

/** `use`: where such a certificate is found in a machine as sold. */
export interface KnownAuthority {
  /** The certificate's common name. */
  readonly name: string;
  /** Of the whole DER certificate, hex. */
  readonly sha256: string;
  readonly vendor: string;
  readonly use: 'PK' | 'KEK' | 'db' | 'shim' | 'dbx';
  /** Where the certificate was found. */
  readonly source: string;
}

const MICROSOFT_FILES = 'Microsoft, as kept in google/go-tpm-tools server/secure-boot';
const RHEL_LOG = 'keys measured by a Red Hat guest, keylime/keylime test/data';
const HP_LOG = 'keys measured by an HP laptop, google/go-attestation attest/testdata';

export const KNOWN_AUTHORITIES = [
  authority(
    'Microsoft Windows Production PCA 2011',
    'e8e95f0733a55e8bad7be0a1413ee23c51fcea64b3c8fa6a786935fddcc71961',
    'Microsoft',
    'db',
    MICROSOFT_FILES,
  ),
  authority(
    'Microsoft Corporation UEFI CA 2011',
    '48e99b991f57fc52f76149599bff0a58c47154229b9f8d603ac40d3500248507',
    'Microsoft',
    'db',
    MICROSOFT_FILES,
  ),
  authority(
    'Microsoft Corporation KEK CA 2011',
    'a1117f516a32cefcba3f2d1ace10a87972fd6bbe8fe0d0b996e09e65d802a503',
    'Microsoft',
    'KEK',
    MICROSOFT_FILES,
  ),
  authority(
    'Windows UEFI CA 2023',
    '076f1fea90ac29155ebf77c17682f75f1fdd1be196da302dc8461e350a9ae330',
    'Microsoft',
    'db',
    RHEL_LOG,
  ),
  authority(
    'Microsoft UEFI CA 2023',
    'f6124e34125bee3fe6d79a574eaa7b91c0e7bd9d929c1a321178efd611dad901',
    'Microsoft',
    'db',
    RHEL_LOG,
  ),
  authority(
    'Microsoft Corporation KEK 2K CA 2023',
    '3cd3f0309edae228767a976dd40d9f4affc4fbd5218f2e8cc3c9dd97e8ac6f9d',
    'Microsoft',
    'KEK',
    RHEL_LOG,
  ),
  authority(
    'Microsoft Root Certificate Authority 2010',
    'df545bf919a2439c36983b54cdfc903dfa4f37d3996d8d84b4c31eec6f3c163e',
    'Microsoft',
    'db',
    'keys measured by a Windows guest, google/go-attestation attest/testdata',
  ),
  authority(
    'Debian Secure Boot CA',
    '079646974bce09b1f04da67bd722d1fb0947ae4c4010bccdbba52d5b23cbf1a2',
    'Debian',
    'shim',
    'vendor certificate inside shim-signed of Debian 13',
  ),
  authority(
    'Canonical Ltd. Master Certificate Authority',
    'ed1fe72cb9ca31c9af5b757afcd733323d675825032e6ced7fe1ae9eb767998c',
    'Canonical',
    'shim',
    'authority measured by an Ubuntu guest, google/go-attestation attest/testdata',
  ),
  authority(
    'CentOS Secure Boot CA 2',
    'f1fdf7ae3924a187e0f30a502271cb8369f5f26b8032f026aef6fce7a113d1c4',
    'CentOS',
    'shim',
    'authority measured by a CentOS guest, keylime/keylime test/data',
  ),
  authority(
    'Red Hat Secure Boot CA 5',
    '40175d4c7c5ab4bd753a493f47952f1d8dcf1c219b836968a693e48bd4766135',
    'Red Hat',
    'shim',
    RHEL_LOG,
  ),
  authority(
    'Red Hat Secure Boot (PK/KEK key 1)',
    '7f122fab825041c2b0c67696bb151db6f39fed7df2d1104107f5b892b354ef5c',
    'Red Hat (OVMF)',
    'PK',
    RHEL_LOG,
  ),
  authority(
    'Debian UEFI Secure Boot (PK/KEK key)',
    '5fb05ed84c5170d542ed6a7b7487dd57b8faedb02f7e107b0409e1d22cac4169',
    'Debian (OVMF)',
    'PK',
    'variable store of Debian ovmf',
  ),
  authority(
    'Lenovo Ltd. PK CA 2012',
    'fbe14729e6a1d72e49c15e245f165f5e10fc77cfed5f460bf8dbbd0bfed732f5',
    'Lenovo',
    'PK',
    'keys measured by a ThinkPad, keylime/keylime test/data',
  ),
  authority(
    'Lenovo Ltd. KEK CA 2012',
    'a9087d1044ad18f7a94916d284cbc01827cf23cd8f60b79072c9caa1fef4d649',
    'Lenovo',
    'KEK',
    'keys measured by a ThinkPad, keylime/keylime test/data',
  ),
  authority(
    'ThinkPad Product CA 2012',
    '1101477d213640926822a22710c6898b24a42c1efbb9e6881c4859b483a571dd',
    'Lenovo',
    'db',
    'keys measured by a ThinkPad, keylime/keylime test/data',
  ),
  authority(
    'Lenovo UEFI CA 2014',
    '99abba42419f80cc967a95cbb6a0ecd754f4d243accb778ed2fef17899d3618e',
    'Lenovo',
    'db',
    'keys measured by a ThinkPad, keylime/keylime test/data',
  ),
  authority(
    'Hewlett-Packard UEFI Secure Boot Platform Key',
    'dd92dc4c351631d99c90711c3cb4fd7104ada10d1254ce69cf84e5e54cd5879b',
    'HP',
    'PK',
    HP_LOG,
  ),
  authority(
    'Hewlett-Packard UEFI Secure Boot Key Exchange Key',
    'b2f95b13c524c40f6c79a6aebd565b069302e28e3871e50a1bd3f98780c1a2a5',
    'HP',
    'KEK',
    HP_LOG,
  ),
  authority(
    'Hewlett-Packard UEFI Secure Boot DB Key',
    '88e7f1f436074cf55be4e72112ff35cfb3a265f5e725dd51ff517cd64f26b356',
    'HP',
    'db',
    HP_LOG,
  ),
  authority(
    'HP UEFI Secure Boot 2013 DB key',
    '0cb52d764718613b16989246670bbf7e3807aeefb191df9c93a081dfce0cff38',
    'HP',
    'db',
    HP_LOG,
  ),
  authority(
    'Dell Inc. Platform Key',
    'c2b2bf1403a2380cb316d5df34d1d72d3c85fc4e8327bad619575a2a31ee88e4',
    'Dell',
    'PK',
    'keys measured by a Dell laptop, nsacyber/HIRS',
  ),
  authority(
    'Dell Inc. Key Exchange Key',
    'e28d59ca489bd2ad580f2ea5d62d6a29bb9c02ae5a818434a37da7fc11dff9e9',
    'Dell',
    'KEK',
    'keys measured by a Dell laptop, nsacyber/HIRS',
  ),
  authority(
    'Dell Inc. UEFI DB',
    'd21defa30fc62db081e59ea274a100d507ed563f61adcf769ef1487c36e9d0f7',
    'Dell',
    'db',
    'keys measured by a Dell laptop, nsacyber/HIRS',
  ),
  authority(
    'Dell Technologies Inc. Platform Key Gen16 3K',
    'b91b83e3d11875d63ed7244d7fabbcc0ab2d622d81f09561de6b7f2a58622b8e',
    'Dell',
    'PK',
    'keys measured by a Dell server, google/go-tpm-tools internal/test/eventlogs',
  ),
  authority(
    'Intel(R) Desktop Boards',
    '9773962c4271cad2125a5428fc03eabd440e4cdca3fbd0555034c8046a90b181',
    'Intel',
    'PK',
    'keys measured by an Intel NUC, google/go-attestation attest/testdata',
  ),
  authority(
    'SUPERMICRO PK CA 2018',
    '5fc05b208b7a0c0134bec048dad1a1edfa6d15187dfafb8e3ba8a97911ddcc20',
    'Supermicro',
    'PK',
    'keys measured by a Supermicro server, tpm2-software/tpm2-tools fixtures',
  ),
  authority(
    'SUPERMICRO Product CA 2018',
    '0d6593be52f90c56b127f9d276e8db8d9f4e74dfde019af3fbc8dd3b56cbe20a',
    'Supermicro',
    'db',
    'keys measured by a Supermicro server, tpm2-software/tpm2-tools fixtures',
  ),
  authority(
    'Google Compute Engine platform key',
    'd1d217acf60ba4e4a890210322d006d673c0b82de9d65ad7f2d55897635429e2',
    'Google',
    'PK',
    'GcePk.crt in google/go-tpm-tools server/secure-boot',
  ),
  authority(
    'Canonical Ltd. Secure Boot Signing',
    '90244cc221e00c1fe0a7b78b3ce945dd73bf1633019eb6c15fa5646f9c8d2e1e',
    'Canonical, revoked 2020 (BootHole)',
    'dbx',
    'google/go-tpm-tools server/secure-boot',
  ),
  authority(
    'Virtual UEFI SubCA',
    '20e394d15c6205faf65fa696df13b8369d3153cb5d2cd056b48c0db00e160084',
    'Cisco, revoked 2020 (BootHole)',
    'dbx',
    'google/go-tpm-tools server/secure-boot',
  ),
  authority(
    'Debian Secure Boot Signer',
    'f156d24f5d4e775da0e6a9111f074cfce701939d688c64dba093f97753434f2c',
    'Debian, revoked 2020 (BootHole)',
    'dbx',
    'google/go-tpm-tools server/secure-boot',
  ),
] as const;

export type AuthorityName = (typeof KNOWN_AUTHORITIES)[number]['name'];
export const AUTHORITY_NAMES: readonly AuthorityName[] = KNOWN_AUTHORITIES.map(({ name }) => name);

const byFingerprint: ReadonlyMap<string, KnownAuthority> = new Map(
  KNOWN_AUTHORITIES.map((each) => [each.sha256, each]),
);

/** `sha256` in hex, lower case. Null for a certificate that is not in the table. */
export function knownAuthority(sha256: string): KnownAuthority | null {
  return byFingerprint.get(sha256) ?? null;
}

/** The fingerprint behind a name of the table, or the fingerprint itself. */
export function authorityFingerprint(nameOrFingerprint: string): string {
  return KNOWN_AUTHORITIES.find(({ name }) => name === nameOrFingerprint)?.sha256 ?? nameOrFingerprint;
}

function authority<const N extends string>(
  name: N,
  sha256: string,
  vendor: string,
  use: KnownAuthority['use'],
  source: string,
): KnownAuthority & { readonly name: N } {
  return { name, sha256, vendor, use, source };
}
