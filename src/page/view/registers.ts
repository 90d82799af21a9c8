/** One row per quoted register: its value, and why it is believed or that it is not. */
import type { PcrVerdict } from '../../attest/verdict.ts';
import { el, type IconName, icon } from '../dom.ts';

const BASIS: { readonly [basis in PcrVerdict['basis']]: { icon: IconName; text: string } } = {
  reference: { icon: 'good', text: 'as expected' },
  rule: { icon: 'good', text: 'by rule' },
  explained: { icon: 'open', text: 'explained' },
  initial: { icon: 'open', text: 'initial' },
  unexplained: { icon: 'bad', text: 'unexplained' },
  differs: { icon: 'bad', text: 'differs' },
};

export function registerTable(pcrs: readonly PcrVerdict[]): HTMLElement {
  return el(
    'table',
    {},
    el('caption', {}, 'Platform configuration registers, as the TPM signed them'),
    el(
      'thead',
      {},
      el('tr', {}, ...['PCR', 'Basis', 'Meaning', 'Value'].map((name) => el('th', { scope: 'col' }, name))),
    ),
    el('tbody', {}, ...pcrs.map(registerRow)),
  );
}

function registerRow(pcr: PcrVerdict): HTMLElement {
  const basis = BASIS[pcr.basis];
  return el(
    'tr',
    { class: basis.icon, 'data-basis': pcr.basis },
    el('th', { scope: 'row' }, el('span', { class: 'label' }, 'PCR '), String(pcr.index)),
    el('td', { class: 'basis' }, icon(basis.icon), basis.text),
    el('td', {}, pcr.sentence),
    el('td', { class: 'value' }, el('span', { class: 'label' }, `${pcr.bank} `), el('code', {}, pcr.value)),
  );
}
