import { describe, expect, it } from 'vitest';
import type { WriteState } from './stick/write-input.ts';
import { stickProgress } from './write-stick-progress.ts';

function shown(isTTY: boolean, millisecondsEach = 100): string[] {
  const lines: string[] = [];
  let now = 0;
  const progress = stickProgress({ isTTY, write: (text: string) => lines.push(text) }, () => now);
  const phases: WriteState['phase'][] = ['write', 'read back'];
  for (const phase of phases) {
    for (let doneBytes = 1_000_000; doneBytes <= 40_000_000; doneBytes += 1_000_000) {
      progress({ phase, doneBytes, totalBytes: 40_000_000 });
      now += millisecondsEach;
    }
  }
  return lines;
}

describe('progress', () => {
  it('is one line that changes on a terminal, and ends in a new line', () => {
    const lines = shown(true);
    expect(lines).toHaveLength(80);
    expect(lines[1]).toBe('\rWritten 2000000 of 40000000 bytes (5 %, 10.0 MB/s)\u001b[K');
    expect(lines[39]).toBe('\rWritten 40000000 of 40000000 bytes (100 %, 10.0 MB/s)\u001b[K\n');
    expect(lines.filter((line) => line.endsWith('\n'))).toHaveLength(2);
  });

  it('redraws at most ten times a second, and always the end', () => {
    const lines = shown(true, 10);
    expect(lines).toHaveLength(9);
    expect(lines.filter((line) => line.includes('100 %'))).toHaveLength(2);
  });

  it('is a line per tenth elsewhere, without control characters', () => {
    const lines = shown(false);
    expect(lines).toHaveLength(22);
    expect(lines[1]).toBe('Written 4000000 of 40000000 bytes (10 %, 10.0 MB/s)\n');
    expect(lines.at(-1)).toBe('Read back 40000000 of 40000000 bytes (100 %, 10.0 MB/s)\n');
    expect(lines.join('').replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
  });
});
