import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ElfError, readElf } from './elf.ts';

const program = readFileSync('/bin/bash');

describe('readElf', () => {
  it('names the libraries and the loader of a real program, as its own loader lists them', () => {
    const { needed, interpreter } = readElf(program, 'bash');
    expect(interpreter).toMatch(/^\/lib64\/ld-linux-x86-64\.so\.2$/);
    const listed = execFileSync(interpreter ?? '', ['--list', '/bin/bash'], { encoding: 'utf8' });
    expect(needed.length).toBeGreaterThan(0);
    for (const library of needed) expect(listed).toContain(library);
  });

  it('finds nothing needed in a static program', () => {
    const relocatable = new Uint8Array(64);
    relocatable.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
    expect(readElf(relocatable, 'empty')).toEqual({ needed: [], interpreter: null });
  });

  it('refuses what is not ELF, by name', () => {
    expect(() => readElf(new TextEncoder().encode('#!/bin/sh\n'), 'script')).toThrow(
      'script: not a 64-bit little-endian ELF file',
    );
  });

  it('answers damaged files with facts or a coded error, never with a crash', () => {
    const head = program.subarray(0, 4096);
    fc.assert(
      fc.property(
        fc.nat({ max: head.length - 1 }),
        fc.integer({ min: 0, max: 255 }),
        fc.nat({ max: program.length }),
        (at, value, cut) => {
          const damaged = Uint8Array.from(program.subarray(0, cut));
          if (at < damaged.length) damaged[at] = value;
          try {
            readElf(damaged, 'damaged');
          } catch (error) {
            expect(error).toBeInstanceOf(ElfError);
          }
        },
      ),
      { numRuns: 200 },
    );
  });
});
