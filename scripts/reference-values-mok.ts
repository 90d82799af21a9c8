/**
 * What shim measures into PCR 14 on a machine where nobody enrolled a key of their own (MOK): its three variables, built
 * from the certificate and the deny list inside shim itself. shim 15.8 and later: mok.c, cert.S (struct cert_table);
 * EFI_SIGNATURE_LIST: UEFI 2.10 §32.4.1.
 */
import { concatBytes, fromHex } from '../src/shared/bytes.ts';
import { PeError, readSection } from './pe.ts';

export interface MokVariable {
  readonly name: 'MokList' | 'MokListX' | 'MokListTrusted';
  readonly content: Uint8Array;
}

/** GUIDs as they lie in memory: first three fields little-endian. */
const CERT_X509 = fromHex('a159c0a5e494a74a87b5ab155c2bf072');
const CERT_SHA256 = fromHex('2616c4c14c509240aca941f936934328');
const SHIM_LOCK = fromHex('50ab5d6046e00043abb63dd810dd8b23');

/** In the order in which shim measures them. @throws PeError */
export function mokVariables(shim: Uint8Array): readonly MokVariable[] {
  const { authorized, denied } = vendorLists(readSection(shim, '.vendor_cert'));
  return [
    { name: 'MokList', content: signatureList(CERT_X509, authorized) },
    { name: 'MokListX', content: denied },
    { name: 'MokListTrusted', content: Uint8Array.of(1) },
  ];
}

/** Sizes and offsets (u32 each) of the two lists, which follow one another. */
function vendorLists(section: Uint8Array): { authorized: Uint8Array; denied: Uint8Array } {
  if (section.length < 16) throw malformed(`${section.length} bytes`);
  const view = new DataView(section.buffer, section.byteOffset, section.byteLength);
  const [authorizedSize = 0, deniedSize = 0, authorizedAt = 0, deniedAt = 0] = [0, 4, 8, 12].map((at) =>
    view.getUint32(at, true),
  );
  if (authorizedAt !== 16 || deniedAt !== 16 + authorizedSize || deniedAt + deniedSize > section.length) {
    throw malformed(`lists of ${authorizedSize} and ${deniedSize} bytes at ${authorizedAt} and ${deniedAt}`);
  }
  const authorized = section.subarray(authorizedAt, deniedAt);
  const denied = section.subarray(deniedAt, deniedAt + deniedSize);
  // A shim with a list of vendor certificates, or without a deny list, writes its variables in other ways.
  if (authorized[0] !== 0x30 || authorized[1] !== 0x82) throw malformed('the vendor certificate is not one X.509 file');
  if (!startsWith(denied, CERT_SHA256)) throw malformed('the deny list is not a list of SHA-256 digests');
  return { authorized, denied };
}

/** One EFI_SIGNATURE_LIST with one entry, owned by shim. */
function signatureList(type: Uint8Array, content: Uint8Array): Uint8Array {
  const entrySize = SHIM_LOCK.length + content.length;
  const sizes = new Uint8Array(12);
  const view = new DataView(sizes.buffer);
  view.setUint32(0, type.length + sizes.length + entrySize, true);
  view.setUint32(8, entrySize, true);
  return concatBytes(type, sizes, SHIM_LOCK, content);
}

const startsWith = (bytes: Uint8Array, start: Uint8Array) => start.every((byte, index) => bytes[index] === byte);

function malformed(what: string): PeError {
  return new PeError('PE_MALFORMED', `shim's .vendor_cert section is not as Debian builds it: ${what}`);
}
