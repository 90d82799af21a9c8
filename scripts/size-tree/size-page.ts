/** The size tree as a page: a drawn map to see where the bytes are, and the same as nested lists to read and to open. */
import { escapeHtml, staticPage } from '../static-page.ts';
import { PARTS, type PartName, type SizeNode, type SizeTree } from './size-tree.ts';
import { type Rectangle, squarify } from './squarify.ts';
import { mebibytes, wordsOf } from './terminal.ts';

const MAP = { x: 0, y: 0, width: 1120, height: 620 };
/** Room for the name of a part above its packages. */
const HEAD = 18;
const GAP = 2;
/** Narrower or lower cells have no text in them, only a tooltip. */
const TEXT_WIDTH = 46;
const TEXT_HEIGHT = 16;
const LETTER_WIDTH = 6.7;

export function sizePage(tree: SizeTree, budgetBytes: number): string {
  const title = `What ${tree.image.name} ${tree.image.version} is made of`;
  const share = Math.round((tree.isoBytes / budgetBytes) * 100);
  const body = `<header>
<h1>${escapeHtml(title)}</h1>
<p>The ISO has <strong>${mebibytes(tree.isoBytes)}</strong> (${tree.isoBytes} bytes), ${share} % of its budget of ${mebibytes(budgetBytes)}.
Areas below are bytes in the ISO, as compressed.</p>
<p class="soft">Of a large file, whole compressed blocks are counted; the ends of files share blocks, of which each file counts
its part. Files with equal contents are stored once and counted at the first.</p>
</header>
<main>
${svgMap(tree.parts)}
<h2>Parts, packages, files</h2>
${tree.parts.map((part) => listed(part, tree.isoBytes)).join('\n')}
</main>`;
  return staticPage({ title, body, style: STYLE, script: '' });
}

function svgMap(parts: readonly SizeNode[]): string {
  const shown = parts.filter(({ bytes }) => bytes > 0);
  const areas = squarify(
    shown.map(({ bytes }) => bytes),
    MAP,
  );
  const drawn = shown.map((part, index) => drawnPart(part, areas[index] ?? MAP));
  return `<svg class="map" viewBox="0 0 ${MAP.width} ${MAP.height}" role="img" aria-label="Tree map of the ISO; the list below says the same">
${drawn.join('\n')}
</svg>`;
}

function drawnPart(part: SizeNode, area: Rectangle): string {
  const room = inset(area, GAP);
  const cells = (part.children ?? []).filter(({ bytes }) => bytes > 0);
  const words = `${PARTS[part.name as PartName] ?? part.name} ${mebibytes(part.bytes)}`;
  const head = fits(room, words) ? text(room, words, 'head') : '';
  const frame = `<rect class="part ${part.name}" ${box(room)}><title>${escapeHtml(words)}</title></rect>${head}`;
  if (cells.length < 2 || room.height < 3 * HEAD) return `<g>${frame}</g>`;
  const inner = { x: room.x + 2, y: room.y + HEAD, width: room.width - 4, height: room.height - HEAD - 2 };
  const places = squarify(
    cells.map(({ bytes }) => bytes),
    inner,
  );
  return `<g>${frame}${cells.map((cell, index) => drawnCell(cell, places[index] ?? inner)).join('')}</g>`;
}

function drawnCell(cell: SizeNode, place: Rectangle): string {
  const room = inset(place, 0.75);
  const name = cell.name.slice(cell.name.lastIndexOf('/') + 1);
  const words = `${cell.name} ${mebibytes(cell.bytes)}`;
  const letters = Math.floor((room.width - 8) / LETTER_WIDTH);
  const short = name.length > letters ? `${name.slice(0, Math.max(0, letters - 1))}…` : name;
  const label = room.width > TEXT_WIDTH && room.height > TEXT_HEIGHT ? text(room, short, 'cell') : '';
  const second =
    label !== '' && room.height > 2 * TEXT_HEIGHT && letters > 8
      ? text({ ...room, y: room.y + 14 }, mebibytes(cell.bytes), 'bytes')
      : '';
  return `<g><title>${escapeHtml(words)}</title><rect class="leaf" ${box(room)}/>${label}${second}</g>`;
}

const fits = (room: Rectangle, words: string) => room.height > HEAD && room.width > words.length * LETTER_WIDTH;
const inset = ({ x, y, width, height }: Rectangle, by: number) => ({
  x: x + by,
  y: y + by,
  width: Math.max(0, width - 2 * by),
  height: Math.max(0, height - 2 * by),
});
const box = ({ x, y, width, height }: Rectangle) =>
  `x="${x.toFixed(1)}" y="${y.toFixed(1)}" width="${width.toFixed(1)}" height="${height.toFixed(1)}"`;
const text = ({ x, y }: Rectangle, words: string, kind: string) =>
  `<text class="${kind}" x="${(x + 4).toFixed(1)}" y="${(y + 13).toFixed(1)}">${escapeHtml(words)}</text>`;

function listed(node: SizeNode, ofBytes: number): string {
  const share = ((node.bytes / ofBytes) * 100).toFixed(1);
  const unpacked =
    node.unpackedBytes === undefined ? '' : ` <span class="soft">from ${mebibytes(node.unpackedBytes)}</span>`;
  const line = `<span class="name">${escapeHtml(wordsOf(node))}</span><meter max="${ofBytes}" value="${node.bytes}">${share} %</meter><span class="number">${mebibytes(node.bytes)}${unpacked}</span>`;
  const children = node.children ?? [];
  if (children.length === 0) return `<div class="row">${line}</div>`;
  return `<details><summary class="row">${line}</summary>${children.map((one) => listed(one, ofBytes)).join('\n')}</details>`;
}

const STYLE = `
body{max-width:76rem}
.map{width:100%;height:auto;display:block;margin:1rem 0}
.part{fill:#8c959f;stroke:var(--paper)}
.part.base{fill:#9ec5fe}.part.drivers{fill:#b5d99c}.part.firmware{fill:#d6cfa0}.part.kernel{fill:#f3d58a}.part.esp{fill:#e3b7eb}.part.initrd{fill:#f5b8a9}.part.agent{fill:#a5dcd5}.part.medium,.part.bios-grub{fill:#c9cdd2}
.leaf{fill:#fff;fill-opacity:.42}.leaf:hover,.part:hover{fill-opacity:.75}
text{fill:#14181d;font:11px system-ui,sans-serif;pointer-events:none}.head{font-weight:700}.bytes{fill:#3d444d}
.row{display:grid;grid-template-columns:minmax(0,1fr) 9rem 15rem;gap:.8rem;align-items:center;padding:.18rem .5rem;border-top:1px solid var(--line)}
summary.row{cursor:pointer;list-style:none}summary.row::-webkit-details-marker{display:none}
summary .name::before{content:"▸ ";color:var(--soft)}details[open]>summary .name::before{content:"▾ "}
summary:hover{background:var(--wash)}
details details,details>.row:not(summary){margin-left:1.2rem}
.name{overflow-wrap:anywhere}.number{text-align:right;font-variant-numeric:tabular-nums}
meter{width:100%}
@media(max-width:40rem){.row{grid-template-columns:minmax(0,1fr) auto}meter{display:none}}
`;
