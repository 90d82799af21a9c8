/** Well-formed data of firmware events, as many elements long as wanted. */
import { concatBytes } from '../../shared/bytes.ts';

/** EFI_SIGNATURE_LISTs of one SHA-256 entry each: UEFI 2.10 §32.4.1. */
export function dbx(bytes: number): Uint8Array {
  const sha256 = [0x26, 0x16, 0xc4, 0xc1, 0x4c, 0x50, 0x92, 0x40, 0xac, 0xa9, 0x41, 0xf9, 0x36, 0x93, 0x43, 0x28];
  const list = Uint8Array.from([...sha256, 76, 0, 0, 0, 0, 0, 0, 0, 48, 0, 0, 0, ...new Uint8Array(48)]);
  const value = repeated(list, Math.floor(bytes / list.length));
  const guid = [0xcb, 0xb2, 0x19, 0xd7, 0x3a, 0x3d, 0x96, 0x45, 0xa3, 0xbc, 0xda, 0xd0, 0x0e, 0x67, 0x65, 0x6f];
  const sizes = new Uint8Array(new BigUint64Array([3n, BigInt(value.length)]).buffer);
  return concatBytes(Uint8Array.from(guid), sizes, Uint8Array.from([100, 0, 98, 0, 120, 0]), value);
}

/** UEFI_GPT_DATA, PFP §10.2.7: header of 92 bytes, count, entries of 128 bytes. */
export function gpt(partitions: number): Uint8Array {
  const header = concatBytes(new TextEncoder().encode('EFI PART'), new Uint8Array(84));
  const view = new DataView(header.buffer);
  view.setUint32(8, 0x00010000, true);
  view.setUint32(12, 92, true);
  view.setUint32(80, partitions, true);
  view.setUint32(84, 128, true);
  const entry = new Uint8Array(128).fill(1);
  const count = new Uint8Array(new BigUint64Array([BigInt(partitions)]).buffer);
  return concatBytes(header, count, repeated(entry, partitions));
}

/** UEFI_IMAGE_LOAD_EVENT with that many device path nodes of four bytes. */
export function image(nodes: number): Uint8Array {
  const path = concatBytes(repeated(Uint8Array.of(4, 99, 4, 0), nodes), Uint8Array.of(0x7f, 0xff, 4, 0));
  return concatBytes(new Uint8Array(24), new Uint8Array(new BigUint64Array([BigInt(path.length)]).buffer), path);
}

export function repeated(piece: Uint8Array, times: number): Uint8Array {
  const whole = new Uint8Array(piece.length * times);
  for (let index = 0; index < times; index += 1) whole.set(piece, index * piece.length);
  return whole;
}
