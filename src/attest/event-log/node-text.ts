/** Pieces that device path nodes have in common. */
import { toHex } from '../../shared/bytes.ts';
import type { LittleEndianReader } from './little-endian.ts';
import { readGuid } from './text.ts';

/** The rest of the node: a GUID and what its owner put behind it. */
export function vendorText(name: string, node: LittleEndianReader): string {
  const guid = readGuid(node);
  return node.left === 0 ? `${name}(${guid})` : `${name}(${guid},${toHex(node.bytes(node.left, 'vendor data'))})`;
}

export const hex = (value: number | bigint): string => `0x${value.toString(16)}`;
