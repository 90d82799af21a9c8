/**
 * Whether an event's digest proves the data beside it. The digest of many types covers something else (an image, a file,
 * a table in memory), so a name or path there is hearsay. Rules counted over 87 real logs; a *type* is never covered.
 */
import { equalBytes } from '../../shared/bytes.ts';
import type { EventDetail } from './detail.ts';
import { type EfiVariable, OLD_SHIM_SURPLUS } from './efi-data.ts';
import { EventType } from './event-types.ts';
import { grubBodyOffset } from './loader-data.ts';
import { withoutNul } from './text.ts';
import type { UntrustedEvent } from './untrusted-event.ts';
import type { Workaround } from './workarounds.ts';

/**
 * data: digest = H(data). body: H(text behind GRUB's prefix). value: H(variable value), so the name is not bound.
 * cut-data: H(data without its last byte): old shims wrote their structure's padding behind the certificate, six
 * bytes, and hashed one byte less.
 */
export type BoundBy = 'data' | 'body' | 'value' | 'cut-data';

/** The deviation from the profile that a binding of this kind stands for; null where it is as the profile says. */
export const BINDING_WORKAROUNDS: { readonly [boundBy in BoundBy]: Workaround | null } = {
  data: null,
  body: null,
  value: 'boot-variable-value-only',
  'cut-data': 'authority-last-byte-cut',
};

/** Null: the digest says nothing about the data. `detail` is what `detailOf` made of the same event. */
export function bindingOf(
  { type, data }: UntrustedEvent,
  detail: EventDetail,
  digest: Uint8Array,
  hash: (data: Uint8Array) => Uint8Array,
): BoundBy | null {
  const isHashOf = (part: Uint8Array): boolean => equalBytes(hash(part), digest);
  if (type === EventType.NO_ACTION || NEVER_BOUND.has(type)) return null;
  if (detail.kind === 'grub-command' || detail.kind === 'kernel-command-line') {
    const body = data.subarray(grubBodyOffset(data));
    return isHashOf(withoutNul(body)) || isHashOf(body) ? 'body' : null;
  }
  if (type === EventType.SEPARATOR && isPlainSeparator(data)) {
    return equalBytes(separatorDigest(data, digest.length, hash), digest) ? 'data' : null;
  }
  if (isHashOf(data)) return 'data';
  if (detail.kind !== 'variable') return null;
  if (type === EventType.EFI_VARIABLE_BOOT && isHashOf(detail.variable.value)) return 'value';
  if (type !== EventType.EFI_VARIABLE_AUTHORITY || !hasOldShimSurplus(data, detail.variable)) return null;
  return isHashOf(data.subarray(0, -1)) ? 'cut-data' : null;
}

/** The profile's own separators: four bytes 00, or ff. Eight of them are in every log. */
function isPlainSeparator(data: Uint8Array): boolean {
  const [first] = data;
  return data.length === 4 && (first === 0 || first === 0xff) && data.every((byte) => byte === first);
}

/** Constants, whoever computes them; the digest's length tells the bank. */
const separatorDigests = new Map<number, Uint8Array>();

function separatorDigest(data: Uint8Array, digestBytes: number, hash: (data: Uint8Array) => Uint8Array): Uint8Array {
  const key = 2 * digestBytes + (data[0] === 0 ? 0 : 1);
  const known = separatorDigests.get(key);
  if (known !== undefined) return known;
  const computed = hash(data);
  if (computed.length === digestBytes) separatorDigests.set(key, computed);
  return computed;
}

/** Without the surplus, the byte that is not hashed would be the certificate's last. */
function hasOldShimSurplus(data: Uint8Array, { name, value }: EfiVariable): boolean {
  return data.length === VARIABLE_HEAD_BYTES + 2 * name.length + value.length + OLD_SHIM_SURPLUS;
}

/** GUID and two lengths. */
const VARIABLE_HEAD_BYTES = 32;

/** Digests of these cover memory, an image or a device; no log at hand has one over its data. */
const NEVER_BOUND: ReadonlySet<number> = new Set([
  EventType.EFI_BOOT_SERVICES_APPLICATION,
  EventType.EFI_BOOT_SERVICES_DRIVER,
  EventType.EFI_RUNTIME_SERVICES_DRIVER,
  EventType.EFI_PLATFORM_FIRMWARE_BLOB,
  EventType.EFI_PLATFORM_FIRMWARE_BLOB2,
  EventType.EFI_HANDOFF_TABLES,
  EventType.EFI_HANDOFF_TABLES2,
]);
