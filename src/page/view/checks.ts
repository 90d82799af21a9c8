/** Checks: the failed ones in full, and the list of all. */
import type { Check } from '../../attest/verdict.ts';
import { el, icon } from '../dom.ts';

const FAMILY = {
  malformed: 'It cannot be read.',
  false: 'It contradicts itself or a signature.',
  policy: 'It is genuine, and not what is accepted.',
} as const;

export function failureBox(check: Check): HTMLElement {
  const { code, family, sentence, difference, remedy } = check;
  return el(
    'div',
    { class: 'failure', 'data-code': code ?? null },
    el('p', {}, `${sentence} `, el('code', {}, code ?? check.name)),
    family === undefined ? null : el('p', { class: 'family' }, FAMILY[family]),
    difference === undefined
      ? null
      : el(
          'dl',
          { class: 'difference' },
          el('dt', {}, `${difference.component}: expected`),
          el('dd', {}, el('code', {}, difference.expected)),
          el('dt', {}, `${difference.component}: got`),
          el('dd', {}, el('code', {}, difference.actual)),
        ),
    remedy === undefined ? null : el('p', {}, `Next step: ${remedy}`),
  );
}

const STATES = {
  passed: { icon: 'good', text: 'passed' },
  failed: { icon: 'bad', text: 'failed' },
  'not-reached': { icon: 'open', text: 'not reached' },
} as const;

/** Folded: on a phone the list is longer than all the rest. */
export function checkDetails(checks: readonly Check[]): HTMLElement {
  const count = (status: Check['status']): number => checks.filter((check) => check.status === status).length;
  const summary = `${count('passed')} passed, ${count('failed')} failed, ${count('not-reached')} not reached`;
  return el('details', {}, el('summary', {}, summary), checkList(checks));
}

function checkList(checks: readonly Check[]): HTMLElement {
  return el(
    'ul',
    { class: 'checks' },
    ...checks.map((check) => {
      const { icon: name, text } = STATES[check.status];
      return el(
        'li',
        { class: name, 'data-check': check.name },
        icon(name),
        el(
          'div',
          {},
          el('p', {}, el('strong', {}, check.name), ` ${text}`, check.code === undefined ? null : ' ', code(check)),
          check.status === 'not-reached' ? null : el('p', {}, check.sentence),
          check.remedy === undefined ? null : el('p', {}, `Next step: ${check.remedy}`),
        ),
      );
    }),
  );
}

const code = (check: Check): HTMLElement | null => (check.code === undefined ? null : el('code', {}, check.code));
