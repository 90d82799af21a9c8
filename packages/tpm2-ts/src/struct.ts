/** Codecs for structures: named fields in order, fixed values, and unions whose tag selects the rest. */
import type { Codec, Value } from './codec.ts';

/** A field whose value is known beforehand: checked when read, written by itself, absent from the TypeScript value. */
export interface Constant extends Codec<void> {
  readonly constant: true;
}
export type Fields = Readonly<Record<string, Codec<unknown>>>;
export type StructValue<F extends Fields> = {
  readonly [K in keyof F as F[K] extends Constant ? never : K]: Value<F[K]>;
};
export interface Struct<F extends Fields> extends Codec<StructValue<F>> {
  readonly fields: F;
}

/** The bytes that must be there. */
export function constant(base: Codec<number>, expected: number): Constant {
  return {
    constant: true,
    read: (source) => {
      const at = source.offset;
      const actual = base.read(source);
      if (actual !== expected) {
        throw source.error('BAD_VALUE', `0x${actual.toString(16)} instead of 0x${expected.toString(16)}`, at);
      }
    },
    write: (_, sink) => base.write(expected, sink),
  };
}

/** Fields in the order of the specification. */
export function struct<F extends Fields>(fields: F): Struct<F> {
  const entries = Object.entries(fields).map(([name, codec]) => ({ name, codec, hidden: 'constant' in codec }));
  return {
    fields,
    read: (source) => {
      const value: Record<string, unknown> = {};
      for (const { name, codec, hidden } of entries) {
        source.path.push(name);
        const field = codec.read(source);
        if (!hidden) value[name] = field;
        source.path.pop();
      }
      return value as StructValue<F>;
    },
    write: (value, sink) => {
      for (const { name, codec } of entries) {
        sink.path.push(name);
        codec.write((value as Record<string, unknown>)[name], sink);
        sink.path.pop();
      }
    },
  };
}

type Arms = Readonly<Record<string, Struct<Fields>>>;
type Simplify<T> = { [K in keyof T]: T[K] } & unknown;
/** One member for each arm, told apart by the tag: `{ type: 'quote', …, pcrDigest } | { type: 'certify', … }`. */
export type TaggedValue<F extends Fields, Tag extends keyof F & string, A extends Arms> = {
  [K in keyof A & string]: Simplify<Omit<StructValue<F>, Tag> & { readonly [T in Tag]: K } & Value<A[K]>>;
}[keyof A & string];

/** `fields`, then the arm that the field `tag` names. A tag without an arm is an error. */
export function tagged<F extends Fields, Tag extends keyof F & string, A extends Arms>(
  fields: F,
  tag: Tag,
  arms: A & { readonly [K in keyof A]: K extends Value<F[Tag]> ? unknown : never },
): Codec<TaggedValue<F, Tag, A>> {
  const head = struct(fields);
  for (const [name, arm] of Object.entries<Struct<Fields>>(arms)) {
    const twice = Object.keys(arm.fields).find((field) => field in fields);
    if (twice !== undefined) throw new Error(`field ${twice} is both in the header and in the arm ${name}`);
  }
  const armOf = (name: unknown) =>
    typeof name === 'string' && Object.hasOwn(arms, name) ? (arms as Arms)[name] : undefined;
  return {
    read: (source) => {
      const at = source.offset;
      const start = head.read(source) as Record<string, unknown>;
      const name = start[tag];
      const arm = armOf(name);
      source.path.push(String(name));
      if (arm === undefined) throw source.error('BAD_VALUE', `${tag} ${String(name)} is not supported here`, at);
      const body = arm.read(source);
      source.path.pop();
      return Object.assign(start, body) as TaggedValue<F, Tag, A>;
    },
    write: (value, sink) => {
      const name = (value as Record<string, unknown>)[tag];
      const arm = armOf(name);
      if (arm === undefined) throw sink.error('BAD_VALUE', `${tag} ${String(name)} is not supported here`);
      head.write(value as unknown as StructValue<F>, sink);
      sink.path.push(String(name));
      arm.write(value as StructValue<Fields>, sink);
      sink.path.pop();
    },
  };
}
