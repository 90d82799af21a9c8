/** The verdict as `cpushare attest verify --json` prints it: to read, and to save. */
import type { Verdict } from '../../attest/verdict.ts';
import { el } from '../dom.ts';

export function savedJson(verdict: Verdict): HTMLElement {
  const json = JSON.stringify(verdict, null, 2);
  const save = el('button', { type: 'button' }, 'Save verdict.json');
  save.addEventListener('click', () => saveAs('verdict.json', json));
  const pre = el('pre', { id: 'verdict-json', tabindex: '0' });
  pre.textContent = json; // escaped by JSON already; printable would break its line ends
  return el('div', {}, el('p', {}, save), el('details', {}, el('summary', {}, 'Show it'), pre));
}

function saveAs(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: 'application/json' }));
  el('a', { href: url, download: name }).click();
  URL.revokeObjectURL(url);
}
