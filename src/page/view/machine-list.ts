/** The machines of the broker that serves this page: a broker's word, good for finding a report and for nothing else. */
import type { MachineList } from '../../protocol/messages.ts';
import { el } from '../dom.ts';

export function machineItems({ machines }: MachineList): readonly HTMLElement[] {
  if (machines.length === 0) return [el('li', {}, 'It knows no machine yet.')];
  return machines.map(({ machineId, attestation, reason, lastSeenAt }) => {
    const said = reason === undefined ? attestation : `${attestation}: ${reason}`;
    const name = machineId.slice(0, 16);
    return el(
      'li',
      {},
      attestation === 'accepted' || attestation === 'refused'
        ? el('a', { href: `#report=${encodeURIComponent(`/v1/machines/${machineId}/report`)}` }, name)
        : el('span', {}, name),
      el('span', { class: 'name' }, said),
      el('span', { class: 'size' }, `seen ${lastSeenAt}`),
    );
  });
}
