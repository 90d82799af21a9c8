/** Namespaces of one's own, where the kernel grants them: not in a chroot, and not where a distribution forbids them. */
import { spawnSync } from 'node:child_process';

/** Root inside it, with mounts, processes and /proc of its own; for `unshare`. */
export const OWN_NAMESPACES: readonly string[] = [
  '--user',
  '--map-root-user',
  '--mount',
  '--pid',
  '--fork',
  '--mount-proc',
];

export const hasNamespaces: boolean = spawnSync('unshare', [...OWN_NAMESPACES, 'true']).status === 0;
export const withoutNamespaces: string = hasNamespaces ? '' : ' (skipped: no user namespaces here, as in a chroot)';
