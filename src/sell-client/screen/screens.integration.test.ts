/** A picture of each golden screen, drawn by Chromium in cells of 8 by 16, under dist/test-artifacts/screens/; and the QR code on it read again. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../../../scripts/project.ts';
import { hasChromium, startChromium, withoutChromium } from '../../../test/browser/chromium.ts';
import { readQr } from '../../../test/pictures/read-qr.ts';
import { NOW_MS, SCREEN_STATES, TITLE } from '../testing/screen-states.ts';
import { renderScreen } from './render.ts';
import { COLUMNS, type Look, ROWS, type Row } from './rows.ts';

const folder = join(projectRoot, 'dist/test-artifacts/screens');
const [CELL_WIDTH, CELL_HEIGHT] = [8, 16];
/** The Linux console's palette. */
const COLOURS: Record<Look, string> = {
  ' ': '#aaaaaa',
  w: '#ffffff',
  d: '#00aaaa',
  g: '#55ff55',
  y: '#ffff55',
  r: '#ff5555',
};

let browser: Browser;
beforeAll(async () => {
  if (!hasChromium) return;
  await mkdir(folder, { recursive: true });
  browser = await startChromium();
});
afterAll(() => browser?.close());

/** Block characters as rectangles, exactly as a console's font has them; letters in the browser's fixed font. */
function asSvg(rows: readonly Row[]): string {
  const shapes = rows.flatMap(({ text, looks }, y) =>
    [...text].map((cell, x) => {
      const [left, top, fill] = [x * CELL_WIDTH, y * CELL_HEIGHT, COLOURS[looks[x] as Look]];
      const block = { '█': [0, 16], '▀': [0, 8], '▄': [8, 8] }[cell];
      if (block !== undefined) {
        const [from = 0, height = 0] = block;
        return `<rect x="${left}" y="${top + from}" width="8" height="${height}" fill="${fill}"/>`;
      }
      if (cell === ' ') return '';
      const escaped = cell.replace(/[&<>]/g, (found) => `&#${found.charCodeAt(0)};`);
      return `<text x="${left}" y="${top + 12.5}" fill="${fill}">${escaped}</text>`;
    }),
  );
  const [width, height] = [COLUMNS * CELL_WIDTH, ROWS * CELL_HEIGHT];
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" shape-rendering="crispEdges"
    style="display:block;background:#000;font:13px 'DejaVu Sans Mono',monospace">${shapes.join('')}</svg>`;
}

describe.skipIf(!hasChromium)(`the screen as a picture${withoutChromium}`, () => {
  it.each(Object.entries(SCREEN_STATES))('draws "%s", and a QR code in it can be read', async (name, state) => {
    const size = { width: COLUMNS * CELL_WIDTH, height: ROWS * CELL_HEIGHT };
    const page = await browser.newPage({ viewport: size });
    await page.setContent(
      `<body style="margin:0">${asSvg(renderScreen(state, { title: TITLE, nowMs: NOW_MS }))}</body>`,
    );
    const png = await page.screenshot({ path: join(folder, `${name}.png`) });
    await page.close();
    const { pairing } = state;
    if (pairing.kind === 'waiting') expect(readQr(png)).toBe(pairing.verificationUriComplete);
  });
});
