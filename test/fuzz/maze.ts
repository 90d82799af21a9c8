/** A reader with a fault behind three conditions: found by chance once in 2^24 inputs, step by step within a few thousand. */
import { BrokenRule } from '../../src/cli/fuzz/target.ts';

export function maze(input: Uint8Array): void {
  if (input[0] !== 0x7f) return;
  second(input);
}

function second(input: Uint8Array): void {
  if (input[1] !== 0x80) return;
  third(input);
}

function third(input: Uint8Array): void {
  if (input[2] === 0xff) throw new BrokenRule('the end of the maze');
}
