import { describe, expect, it, vi } from 'vitest';
import { bigText, mediumText } from './big-letters.ts';
import { qrCells } from './qr.ts';

const WORDS = ['BOOTING', 'SET UP', 'OFFLINE', 'PAIR ME', 'WAITING', 'REFUSED', 'NO TPM', 'ERROR', 'EARNING'];
/** RFC 8628 §6.1. */
const CODE_LETTERS = [...'BCDFGHJKLMNPQRSTVWXZ'];

describe('large letters', () => {
  it.each(WORDS)('%s is seven rows high and fits the screen', (word) => {
    const rows = bigText(word, 78);
    expect(rows).toHaveLength(7);
    for (const row of rows) expect(row).toMatch(/^[ █]{1,78}$/);
  });

  it('have a shape of their own for each letter that a code can hold', () => {
    const shapes = [...CODE_LETTERS, '-'].map((letter) => mediumText(letter).join('\n'));
    expect(new Set(shapes).size).toBe(CODE_LETTERS.length + 1);
    for (const shape of shapes) expect(shape.trim()).not.toBe('');
  });
});

describe('the QR code', () => {
  it('is left out where it does not fit', () => {
    expect(qrCells('HTTPS://BROKER.EXAMPLE:42007/PAIR/WDJB-MJHT', { columns: 37, rows: 17 })).toHaveLength(17);
    expect(qrCells('x'.repeat(300), { columns: 37, rows: 17 })).toBeNull();
  });

  it('needs no text encoding but UTF-8: the image brings no other', () => {
    vi.stubGlobal(
      'TextDecoder',
      class {
        constructor(label = 'utf-8') {
          throw new RangeError(`The "${label}" encoding is not supported`);
        }
      },
    );
    try {
      expect(qrCells('https://broker.example:42007/pair?code=WDJB-MJHT', { columns: 37, rows: 17 })).not.toBeNull();
      expect(qrCells('https://b\u00fccher.example/pair', { columns: 37, rows: 17 })).toBeNull();
    } finally {
      vi.unstubAllGlobals();
    }
  });

  it('gives up on what no QR code can hold', () => {
    expect(qrCells('x'.repeat(5000), { columns: 37, rows: 17 })).toBeNull();
  });
});
