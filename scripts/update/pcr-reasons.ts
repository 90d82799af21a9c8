/**
 * Which registers a new lock will move, and why: the events that reference-values.ts computes, told by the package they
 * come from. What is certain says "changes", what depends on bytes not yet built says so.
 */
import type { LockDifference, PackageChange } from './difference.ts';

export interface PcrReason {
  /** Empty: none, and the sentence says why. */
  readonly pcrs: readonly number[];
  readonly why: string;
}

/** @param mokChanged whether shim's own keys and deny list differ; undefined when a shim could not be read */
export function pcrReasons(difference: LockDifference, mokChanged: boolean | undefined): PcrReason[] {
  const measured = difference.changes.filter((change) => change.measured && change.kind !== 'moved');
  const tools = difference.changes.filter((change) => !change.measured);
  const shim = measured.some(({ name }) => name === 'shim-signed');
  const inRoot = measured.filter((change) => hasRole(change, 'root'));
  return [
    ...(shim ? shimReasons(mokChanged) : []),
    ...only(named(measured, 'grub-efi-amd64-signed'), [4], 'the firmware measures GRUB before it starts'),
    ...only(named(measured, 'grub-pc-bin'), [], 'grub-pc-bin starts the image on BIOS only, where nothing is measured'),
    ...only(
      measured.some((change) => hasRole(change, 'kernel')),
      [4, 9, 10],
      'the kernel is measured as a program (4) and as a file (9), and IMA measures its modules as they are loaded (10)',
    ),
    ...only(
      difference.specChanged,
      [8, 9],
      'image.json changed: its kernel command line is measured by GRUB (8) and by the kernel (9), its files lie in the root (9)',
    ),
    ...only(inRoot.length > 0, [9], `the root file system lies in the initrd: ${namesOf(inRoot)}`),
    ...only(
      tools.length > 0,
      [9],
      `build tools may pack the same files into other bytes of the initrd: ${namesOf(tools)}`,
    ),
    ...only(
      difference.dateChanged,
      [8, 9],
      'the archive’s date is the medium’s id, which grub.cfg names (8 and 9), and every time stamp in the initrd (9)',
    ),
  ];
}

function shimReasons(mokChanged: boolean | undefined): PcrReason[] {
  const keys: Record<'changed' | 'same' | 'unknown', PcrReason[]> = {
    changed: [{ pcrs: [14], why: 'the keys and the deny list inside shim differ' }],
    same: [],
    unknown: [
      { pcrs: [14], why: 'shim measures its own keys and deny list, if those differ (a shim could not be read)' },
    ],
  };
  const which = mokChanged === undefined ? 'unknown' : mokChanged ? 'changed' : 'same';
  return [{ pcrs: [4], why: 'the firmware measures shim before it starts' }, ...keys[which]];
}

const only = (when: boolean, pcrs: readonly number[], why: string): PcrReason[] => (when ? [{ pcrs, why }] : []);

const named = (changes: readonly PackageChange[], name: string) => changes.some((change) => change.name === name);

/** `root` lies inside the initrd. */
const hasRole = ({ before, after }: PackageChange, role: 'kernel' | 'root') =>
  [before, after].some((one) => one?.roles.includes(role) ?? false);

function namesOf(changes: readonly PackageChange[]): string {
  const names = changes.slice(0, 6).map(({ name }) => name);
  return changes.length > names.length
    ? `${names.join(', ')} and ${changes.length - names.length} more`
    : names.join(', ');
}
