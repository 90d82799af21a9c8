/** UEFI structures inside event data. Reading them says what they claim; whether that is bound is the digest rule's business. */
import { devicePathText } from './device-path.ts';
import { LogError, littleEndianReader } from './little-endian.ts';
import { boundedLength, readGuid, utf16 } from './text.ts';

/** UEFI_VARIABLE_DATA, PFP §10.2.6. What the value means: `variableContent`. */
export interface EfiVariable {
  /** Lower-case, as written in the UEFI specification. */
  readonly guid: string;
  readonly name: string;
  readonly value: Uint8Array;
}

/** UEFI_IMAGE_LOAD_EVENT, PFP §10.2.3. */
export interface EfiImage {
  readonly address: bigint;
  readonly sizeBytes: bigint;
  readonly linkAddress: bigint;
  /** The device path as text; empty where the loader gave none. */
  readonly devicePath: string;
  readonly devicePathBytes: Uint8Array;
}

/** Shims before 15.3 left so many bytes behind the certificate of an authority. */
export const OLD_SHIM_SURPLUS = 6;

/** `surplusBytes`: exactly so many, or none, may follow the value. @throws LogError */
export function readEfiVariable(data: Uint8Array, surplusBytes = 0): EfiVariable {
  const reader = littleEndianReader(data);
  const guid = readGuid(reader);
  const nameLength = reader.u64('variable name length');
  const valueLength = reader.u64('variable value length');
  const name = utf16(reader.bytes(boundedLength(nameLength * 2n, reader.left), 'variable name'));
  const value = reader.bytes(boundedLength(valueLength, reader.left), 'variable value');
  if (reader.left > 0 && reader.left !== surplusBytes) {
    throw new LogError('LOG_EVENT_BAD', `${reader.left} bytes after the variable's value`);
  }
  return { guid, name, value };
}

/** @throws LogError */
export function readEfiImage(data: Uint8Array): EfiImage {
  const reader = littleEndianReader(data);
  const address = reader.u64('image location');
  const sizeBytes = reader.u64('image length');
  const linkAddress = reader.u64('image link address');
  const devicePathBytes = reader.bytes(boundedLength(reader.u64('path length'), reader.left), 'device path');
  return { address, sizeBytes, linkAddress, devicePath: devicePathText(devicePathBytes), devicePathBytes };
}
