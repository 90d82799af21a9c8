/** The verdict as `cpushare attest verify --json` prints it: to read, and to save. */
import type { Verdict } from '../../attest/verdict.ts';
import { el } from '../dom.ts';

export function savedJson(verdict: Verdict): HTMLElement {
  const json = visible(JSON.stringify(verdict, null, 2));
  const save = el('button', { type: 'button' }, 'Save verdict.json');
  save.addEventListener('click', () => saveAs('verdict.json', json));
  const pre = el('pre', { id: 'verdict-json', tabindex: '0' });
  pre.textContent = json;
  return el('div', {}, el('p', {}, save), el('details', {}, el('summary', {}, 'Show it'), pre));
}

/** The same JSON, with what could turn or hide text written as escapes: JSON itself escapes control characters only. */
function visible(json: string): string {
  return json.replace(/[\p{Cf}\p{Zl}\p{Zp}\u007f-\u009f]/gu, (character) =>
    Array.from({ length: character.length }, (_, index) => `\\u${hex4(character.charCodeAt(index))}`).join(''),
  );
}

const hex4 = (unit: number): string => unit.toString(16).padStart(4, '0');

function saveAs(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: 'application/json' }));
  el('a', { href: url, download: name }).click();
  URL.revokeObjectURL(url);
}
