/** Changes a JSON document by its tree: values of other kinds, keys lost, added and doubled, depth; then as text. */
import type { Random } from './random.ts';

const ODD: readonly [unknown, ...unknown[]] = [
  null,
  true,
  false,
  0,
  -1,
  1.5,
  2 ** 53,
  -0,
  1e308,
  '',
  '\u0000',
  '__proto__',
  'constructor',
  '\u202e\u001b[2J',
  '\ud800',
  'A'.repeat(5000),
  [],
  {},
  [[]],
  { __proto__: null },
];

export function mutateJson(input: Uint8Array, random: Random): Uint8Array {
  const text = new TextDecoder().decode(input);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return new TextEncoder().encode(mutateText(text, random));
  }
  for (let left = 1 + random.below(3); left > 0; left -= 1) value = changed(value, random);
  const printed = JSON.stringify(value) ?? 'null';
  return new TextEncoder().encode(random.chance(6) ? mutateText(printed, random) : printed);
}

function changed(value: unknown, random: Random): unknown {
  if (random.chance(12)) return random.pick(ODD);
  if (Array.isArray(value)) {
    const at = random.below(value.length + 1);
    if (value.length === 0 || random.chance(6))
      return value.toSpliced(at, 0, random.pick([...ODD, ...value] as [unknown]));
    if (random.chance(8)) return value.toSpliced(at, 1);
    if (random.chance(20)) return Array.from({ length: random.below(3000) }, () => value[at % value.length]);
    return value.with(at % value.length, changed(value[at % value.length], random));
  }
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value);
    const entry = random.pick(entries);
    if (entry === undefined || random.chance(10)) {
      return Object.fromEntries([
        ...entries,
        [random.pick(['extra', '', '__proto__', 'toString', '0']), random.pick(ODD)],
      ]);
    }
    const [key, inner] = entry;
    if (random.chance(10)) return Object.fromEntries(entries.filter(([name]) => name !== key));
    if (random.chance(30)) return nested(inner, 1 + random.below(2000));
    return { ...value, [key]: changed(inner, random) };
  }
  if (typeof value === 'string' && random.chance(2)) return mutateText(value, random);
  if (typeof value === 'number' && random.chance(2)) return value + random.pick([1, -1, 0.5, 2 ** 31, 2 ** 32]);
  return random.pick(ODD);
}

function nested(value: unknown, depth: number): unknown {
  let whole = value;
  for (let level = 0; level < depth; level += 1) whole = level % 2 === 0 ? [whole] : { a: whole };
  return whole;
}

function mutateText(text: string, random: Random): string {
  const at = random.below(text.length + 1);
  const size = random.below(8);
  const piece = random.pick(['{', '}', '[', ']', '"', ',', ':', '\\', '\\u0000', 'e999', '=', ' ', 'é', '0', 'f', '-']);
  if (random.chance(3)) return text.slice(0, at) + text.slice(at + size);
  if (random.chance(4))
    return text.slice(0, at) + text.slice(at, at + size).repeat(2 + random.below(500)) + text.slice(at);
  return text.slice(0, at) + piece + text.slice(random.chance(2) ? at : at + 1);
}
