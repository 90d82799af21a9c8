/** The chain as a picture of boxes and arrows, and as an ordered list for who does not see it. */
import type { Chains, Link } from '../chain.ts';
import { el, icon } from '../dom.ts';

const SPOKEN = { good: 'passed', bad: 'refused', open: 'not judged' } as const;

export function chainPicture({ boot, tpm }: Chains): HTMLElement {
  return el(
    'div',
    { class: 'chains' },
    row('boot', 'What started what', boot),
    el('p', { class: 'bridge' }, 'Each step was measured into the registers of the TPM before it ran.'),
    row('tpm', 'Who says so', tpm),
  );
}

function row(name: string, caption: string, links: readonly Link[]): HTMLElement {
  const id = `chain-${name}`;
  return el(
    'div',
    { class: 'chain' },
    el('p', { class: 'caption', id }, caption),
    el('ol', { 'aria-labelledby': id }, ...links.map(box)),
  );
}

function box(link: Link): HTMLElement {
  return el(
    'li',
    { class: `link ${link.state}`, 'data-link': link.id, 'data-state': link.state },
    el('p', { class: 'title' }, icon(link.state), el('strong', {}, link.title)),
    el('p', { class: 'subtitle' }, link.subtitle),
    el('p', { class: 'state' }, SPOKEN[link.state]),
    el('p', { class: 'sentence' }, link.sentence),
  );
}
