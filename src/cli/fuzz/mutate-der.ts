/** Changes DER by its tree and writes all lengths anew, so that a change deep inside is reached by a strict reader. */
import { concatBytes } from '../../shared/bytes.ts';
import { mutateBytes } from './mutate-bytes.ts';
import type { Random } from './random.ts';

interface Node {
  readonly tag: number;
  readonly content: Uint8Array | readonly Node[];
}

export function mutateDer(
  input: Uint8Array,
  others: readonly Uint8Array[],
  maxBytes: number,
  random: Random,
): Uint8Array {
  const nodes = readAll(input, 0);
  if (nodes === null || random.chance(4)) return mutateBytes(input, others, maxBytes, random);
  let changed = nodes;
  for (let left = 1 + random.below(3); left > 0; left -= 1) changed = changeOne(changed, others, random);
  return concatBytes(...changed.map(write)).subarray(0, maxBytes);
}

function changeOne(nodes: readonly Node[], others: readonly Uint8Array[], random: Random): readonly Node[] {
  const at = random.below(nodes.length);
  const node = nodes[at];
  if (node === undefined) return nodes;
  if (typeof node.content !== 'object' || node.content instanceof Uint8Array || random.chance(6)) {
    switch (random.below(6)) {
      case 0:
        return nodes.toSpliced(at, 1);
      case 1:
        return nodes.toSpliced(at, 0, node);
      case 2:
        return nodes.toSpliced(at, 0, ...Array.from({ length: random.below(300) }, () => node));
      case 3:
        return nodes.with(at, {
          ...node,
          tag: random.pick([0x02, 0x03, 0x04, 0x05, 0x06, 0x0c, 0x13, 0x17, 0x18, 0x30, 0x31, 0xa0, 0xa3]),
        });
      default: {
        const bytes = node.content instanceof Uint8Array ? node.content : concatBytes(...node.content.map(write));
        return nodes.with(at, { ...node, content: mutateBytes(bytes, others, 4096, random) });
      }
    }
  }
  return nodes.with(at, { ...node, content: changeOne(node.content, others, random) });
}

/** Null for bytes that are not a row of DER elements. */
function readAll(bytes: Uint8Array, depth: number): readonly Node[] | null {
  const nodes: Node[] = [];
  for (let at = 0; at < bytes.length; ) {
    const first = bytes[at + 1];
    if (first === undefined || first === 0x80 || first > 0x83) return null;
    const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
    let length = first;
    if (lengthBytes > 0)
      length = bytes.subarray(at + 2, at + 2 + lengthBytes).reduce((sum, byte) => sum * 256 + byte, 0);
    const start = at + 2 + lengthBytes;
    if (start + length > bytes.length) return null;
    const content = bytes.subarray(start, start + length);
    const tag = bytes[at] ?? 0;
    const inner = depth < 12 && (tag & 0x20) !== 0 ? readAll(content, depth + 1) : null;
    nodes.push({ tag, content: inner === null || inner.length === 0 ? content : inner });
    at = start + length;
  }
  return nodes;
}

function write({ tag, content }: Node): Uint8Array {
  const body = content instanceof Uint8Array ? content : concatBytes(...content.map(write));
  const { length } = body;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, (length >> 8) & 0xff, length & 0xff];
  return concatBytes(
    Uint8Array.of(tag, ...(length > 0xffff ? [0x83, length >> 16, (length >> 8) & 0xff, length & 0xff] : size)),
    body,
  );
}
