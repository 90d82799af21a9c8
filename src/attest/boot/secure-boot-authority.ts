/**
 * What stands behind the separator of register 7: whose word a program was started on (EV_EFI_VARIABLE_AUTHORITY, PFP
 * §3.3.4.8), and what shim measures of its own state. An authority counts only where a list proves it: the machine's db,
 * or shim, which is known exactly by register 4 and its own keys by register 14.
 */
import { equalBytes, toHex } from '../../shared/bytes.ts';
import type { AttestCrypto } from '../crypto/crypto.ts';
import type { DecodedEvent } from '../event-log/decode.ts';
import { EventType } from '../event-log/event-types.ts';
import type { FirmwareVerdict } from '../verdict.ts';
import { isListed, keyVerdict } from './firmware-keys.ts';
import { IMAGE_SECURITY, SHIM_LOCK } from './secure-boot-variables.ts';

export type Authority = FirmwareVerdict['secureBoot']['authorities'][number];

/** Lists and certificates that shim names as the one that verified: its own, and the machine owner's. */
const SHIM_AUTHORITIES: readonly string[] = ['Shim', 'MokList', 'MokListRT', 'MokListTrusted', 'vendor_db'];
/** State of shim, no authority. */
const SHIM_STATE: readonly string[] = ['SbatLevel', 'MokListTrusted'];
const OWNER_BYTES = 16;
/** db may allow one image by its hash; that stands in place of a certificate's. */
const IMAGE_HASH_BYTES = 32;
const SEPARATORS = [new Uint8Array(4), new Uint8Array(4).fill(0xff)];

export function authorityOf(
  { event, detail, trust }: DecodedEvent,
  db: Uint8Array,
  crypto: Pick<AttestCrypto, 'hash'>,
): Authority | 'state-of-shim' | 'separator' | 'unknown' {
  if (trust !== 'bound') return 'unknown';
  // a second one; whether the policy overlooks that was judged with the rules of the log
  if (event.type === EventType.SEPARATOR && SEPARATORS.some((data) => equalBytes(data, event.data))) return 'separator';
  if (event.type !== EventType.EFI_VARIABLE_AUTHORITY || detail.kind !== 'variable') return 'unknown';
  const { guid, name, value } = detail.variable;
  if (guid === SHIM_LOCK && SHIM_STATE.includes(name) && value.length < MIN_CERTIFICATE_BYTES) return 'state-of-shim';
  if (guid !== SHIM_LOCK && guid !== IMAGE_SECURITY) return 'unknown';
  const key = isCertificate(value) ? value : value.subarray(OWNER_BYTES);
  const verdict = key.length === IMAGE_HASH_BYTES ? { sha256: toHex(key), name: null } : keyVerdict(key, crypto);
  if (isListed(db, key)) return { ...verdict, vouchedBy: 'db' };
  if (SHIM_AUTHORITIES.includes(name) && isCertificate(key)) return { ...verdict, vouchedBy: 'shim' };
  return { ...verdict, vouchedBy: 'nobody' };
}

const MIN_CERTIFICATE_BYTES = 256;

/** A DER SEQUENCE with a length of two bytes that is exactly as long as it says. shim hands certificates over without an owner. */
function isCertificate(value: Uint8Array): boolean {
  if (value.length < MIN_CERTIFICATE_BYTES || value[0] !== 0x30 || value[1] !== 0x82) return false;
  return ((value[2] ?? 0) << 8) + (value[3] ?? 0) + 4 === value.length;
}
