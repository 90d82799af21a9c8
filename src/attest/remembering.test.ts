import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { remembering, rememberingBytes } from './remembering.ts';

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

describe('what was made of bytes', () => {
  it('is made once for equal bytes, and of a copy', () => {
    const make = vi.fn((given: Uint8Array) => given);
    const read = rememberingBytes(2, make);
    const sent = bytes(1, 2, 3);
    const value = read(sent);
    sent.fill(9);
    expect(value).toEqual(bytes(1, 2, 3));
    expect(read(bytes(1, 2, 3))).toBe(value);
    expect(read(sent)).toEqual(bytes(9, 9, 9));
    expect(make).toHaveBeenCalledTimes(2);
  });

  it('is never taken for other bytes, whatever they share', () => {
    const short = fc.uint8Array({ maxLength: 9 });
    fc.assert(
      fc.property(fc.array(fc.tuple(short, short)), (subjects) => {
        const read = rememberingBytes(3, (given) => [...given].join());
        for (const [head, tail] of subjects) {
          const subject = bytes(...head, 0, 0, 0, 0, 0, 0, ...tail);
          expect(read(subject)).toBe([...subject].join());
        }
      }),
    );
  });

  it('goes when it was not asked for longest', () => {
    const make = vi.fn((given: Uint8Array) => given.length);
    const read = rememberingBytes(2, make);
    for (const subject of [bytes(1), bytes(2), bytes(1), bytes(3), bytes(1)]) read(subject);
    expect(make).toHaveBeenCalledTimes(3);
    read(bytes(2));
    expect(make).toHaveBeenCalledTimes(4);
  });

  it('is not kept when it could not be made', () => {
    const make = vi.fn((): never => {
      throw new Error('unreadable');
    });
    const read = rememberingBytes(2, make);
    for (let time = 0; time < 2; time += 1) expect(() => read(bytes(1))).toThrow('unreadable');
    expect(make).toHaveBeenCalledTimes(2);
  });

  it('is found by what identifies it', () => {
    const make = vi.fn(({ value }: { id: Uint8Array; value: string }) => value);
    const read = remembering(2, ({ id }) => id, make);
    expect(read({ id: bytes(1), value: 'one' })).toBe('one');
    expect(read({ id: bytes(1), value: 'never read' })).toBe('one');
    expect(make).toHaveBeenCalledTimes(1);
  });

  it('is made anew each time where nothing is remembered', () => {
    const make = vi.fn((given: Uint8Array) => given.length);
    const read = rememberingBytes(0, make);
    expect([read(bytes(1)), read(bytes(1))]).toEqual([1, 1]);
    expect(make).toHaveBeenCalledTimes(2);
  });
});
