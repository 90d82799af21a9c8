/** What is other than in the reference values, in words: the most telling first. */
import type { Change } from '../../attest/explain/change.ts';
import { el } from '../dom.ts';

export function changeList(changes: readonly Change[]): HTMLElement {
  const items = changes.map(({ code, sentence, remedy }) =>
    el('li', { 'data-change': code }, el('p', {}, `${sentence} `, el('code', {}, code)), el('p', {}, remedy)),
  );
  return el('ul', {}, ...items);
}
