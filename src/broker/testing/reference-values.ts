/** Reference values of an image that nobody runs: whatever real machine answers must be refused against them. */
import { createHash } from 'node:crypto';
import type { ReferenceEvent, ReferenceValues } from '../../attest/image/reference-values.ts';

const digest = 'ab'.repeat(32);
const both = { sha256: digest, authenticodeSha256: digest };
const events: readonly ReferenceEvent[] = [
  { pcr: 4, component: 'shim', digest },
  { pcr: 8, component: 'kernel command line', digest, text: '/vmlinuz quiet' },
  { pcr: 9, component: 'initrd', digest },
  { pcr: 14, component: 'MOK list', digest },
];
/** Each register was extended once. */
const register = createHash('sha256').update(Buffer.alloc(32)).update(digest, 'hex').digest('hex');
const pcrs = { '4': register, '8': register, '9': register, '14': register };

export const someReferenceValues: ReferenceValues = {
  format: 'cpushare-reference-values',
  version: 1,
  image: { name: 'cpushare-seller', version: '0.0.0-test' },
  iso: { sha256: digest, sizeBytes: 1 },
  lock: { sha256: digest },
  components: {
    shim: both,
    grub: both,
    kernel: both,
    grubConfig: { sha256: digest },
    initrd: { sha256: digest, sizeBytes: 1 },
  },
  grubCommands: ['linux /vmlinuz'],
  kernelCommandLine: '/vmlinuz quiet',
  loadOptions: 'BOOT_IMAGE=/vmlinuz quiet',
  events,
  pcrs: { cd: pcrs, usb: pcrs },
  kernelModules: [],
};
