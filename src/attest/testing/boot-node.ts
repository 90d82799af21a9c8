/** The boot of a small image for tests: its event log, its registers, and the reference values its build would print. */
import { concatBytes, toHex } from '../../shared/bytes.ts';
import { nodeAttestCrypto as crypto } from '../crypto/crypto-node.ts';
import { EventType } from '../event-log/event-types.ts';
import { extend, initialPcr } from '../event-log/replay.ts';
import { QUOTED_PCRS } from '../evidence.ts';
import type { ReferenceEvent, ReferenceValues } from '../image/reference-values.ts';
import * as log from './event-log-writer.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** What is on the medium; a test changes one part. */
export interface Boot {
  readonly secureBoot: boolean;
  readonly shim: string;
  readonly grub: string;
  readonly mokList: string;
  /** A remark in grub.cfg: changes the file and no command. */
  readonly remark: string;
  readonly kernel: string;
  readonly initrd: string;
  readonly parameters: string;
  readonly extraCommands: readonly string[];
  readonly modules: readonly string[];
  readonly configuration: Uint8Array;
  /** What IMA measures first, in place of the hash over registers 0 to 9; null: no IMA at all. */
  readonly bootAggregate?: Uint8Array | null;
}

export const GOOD_BOOT: Boot = {
  secureBoot: true,
  shim: 'shim',
  grub: 'grub',
  mokList: 'MokList',
  remark: '# cpushare',
  kernel: 'kernel',
  initrd: 'initrd',
  parameters: 'quiet lockdown=confidentiality',
  extraCommands: [],
  modules: ['loop.ko', 'overlay.ko'],
  configuration: new Uint8Array(),
};

type Named = log.WrittenEvent & { readonly component: string; readonly text?: string };

function ownChain(boot: Boot): Named[] {
  const line = `/boot/vmlinuz ${boot.parameters}`;
  const commands = [...boot.extraCommands, `linux ${line}`, 'initrd /boot/initrd.img', 'boot'];
  const config = bytes([boot.remark, ...commands].join('\n'));
  const file = (name: string, content: Uint8Array, component: string): Named => ({
    ...log.fileRead(name, content),
    component,
  });
  const command = (text: string): Named => ({ ...log.grubCommand(text), component: 'GRUB command', text });
  const mok = (name: string): Named => ({
    pcr: 14,
    type: EventType.IPL,
    data: bytes(`${name}\0`),
    measured: bytes(`vendor ${name}`),
    component: 'MOK list',
  });
  const loadOptions = log.utf16(`BOOT_IMAGE=${line}`);
  return [
    {
      pcr: 4,
      type: EventType.EFI_ACTION,
      data: bytes('Calling EFI Application from Boot Option'),
      component: 'start of the boot loader',
    },
    { ...log.separator(4), component: 'separator' },
    { ...log.image(bytes(boot.shim)), component: 'shim' },
    mok(boot.mokList),
    mok('MokListX'),
    { ...log.image(bytes(boot.grub)), component: 'GRUB' },
    file('(cd0)/EFI/debian/grub.cfg', config, 'grub.cfg'),
    file('(cd0)/EFI/debian/grub.cfg', config, 'grub.cfg'),
    ...boot.extraCommands.map(command),
    command(`linux ${line}`),
    file('/boot/vmlinuz', bytes(boot.kernel), 'kernel'),
    { ...log.image(bytes(boot.kernel)), component: 'kernel' },
    { ...log.kernelCommandLine(line), component: 'kernel command line', text: line },
    command('initrd /boot/initrd.img'),
    file('/boot/initrd.img', bytes(boot.initrd), 'initrd'),
    command('boot'),
    { ...log.stubTag(0x8f3b22ed, 'LOADED_IMAGE::LoadOptions', loadOptions), component: 'kernel command line' },
    { ...log.stubTag(0x8f3b22ec, 'Linux initrd', bytes(boot.initrd)), component: 'initrd' },
  ];
}

function firmware(boot: Boot): log.WrittenEvent[] {
  const keys = ['PK', 'KEK', 'db'].map((name) =>
    log.variable(name, log.signatureList('certificate', [bytes(`key of ${name}`)])),
  );
  const dbx = log.variable('dbx', log.signatureList('image-hash', [crypto.hash('sha256', bytes('revoked'))]));
  return [
    { pcr: 0, type: EventType.S_CRTM_VERSION, data: log.utf16('1.0') },
    log.variable('SecureBoot', Uint8Array.of(boot.secureBoot ? 1 : 0)),
    ...keys,
    dbx,
    log.separator(7),
    { ...log.variable('BootOrder', Uint8Array.of(0, 0), EventType.EFI_VARIABLE_BOOT), pcr: 1 },
    ...[0, 1, 2, 3, 5, 6].map(log.separator),
    log.variable('db', log.signature(bytes('key of db')), EventType.EFI_VARIABLE_AUTHORITY),
  ];
}

/** Measured last on a real machine; the order between registers decides nothing. */
const exitBootServices: readonly log.WrittenEvent[] = [
  'Exit Boot Services Invocation',
  'Exit Boot Services Returned with Success',
].map((text) => ({ pcr: 5, type: EventType.EFI_ACTION, data: bytes(text) }));

export function bootEvents(boot: Boot): log.WrittenEvent[] {
  return [...firmware(boot), ...exitBootServices, ...ownChain(boot)];
}

/** Reference values as the build of this image would print them. */
export function referenceValuesOf(boot: Boot, version = '0.1.0'): ReferenceValues {
  const sha = (content: string | Uint8Array): string =>
    toHex(crypto.hash('sha256', typeof content === 'string' ? bytes(content) : content));
  const chain = ownChain(boot);
  const events: ReferenceEvent[] = chain.map(({ pcr, component, text, data, measured }) => ({
    pcr: pcr as ReferenceEvent['pcr'],
    component,
    digest: sha(measured ?? data),
    ...(text === undefined ? {} : { text }),
  }));
  const values = replay(chain);
  const pcr = (index: number): string => toHex(values[index] ?? new Uint8Array());
  const pcrs = { '4': pcr(4), '8': pcr(8), '9': pcr(9), '14': pcr(14) };
  const pe = (name: string) => ({ sha256: sha(`file ${name}`), authenticodeSha256: sha(name) });
  return {
    format: 'cpushare-reference-values',
    version: 1,
    image: { name: 'cpushare-seller', version },
    iso: { sha256: sha('iso'), sizeBytes: 3 },
    lock: { sha256: sha('lock') },
    components: {
      shim: pe(boot.shim),
      grub: pe(boot.grub),
      kernel: pe(boot.kernel),
      grubConfig: { sha256: sha('grub.cfg') },
      initrd: { sha256: sha(boot.initrd), sizeBytes: boot.initrd.length },
    },
    grubCommands: chain.filter((event) => event.component === 'GRUB command').map((event) => event.text ?? ''),
    kernelCommandLine: `/boot/vmlinuz ${boot.parameters}`,
    loadOptions: `BOOT_IMAGE=/boot/vmlinuz ${boot.parameters}`,
    events,
    pcrs: { cd: pcrs, usb: pcrs },
    kernelModules: boot.modules.map((name) => ({ path: `/usr/lib/modules/${name}`, sha256: sha(name) })),
  };
}

/** Registers after these events. */
export function replay(events: readonly log.WrittenEvent[]): Uint8Array[] {
  const pcrs = QUOTED_PCRS.map((index) => initialPcr(index, 'sha256'));
  for (const { pcr, data, measured, type } of events) {
    if (type === EventType.NO_ACTION) continue;
    pcrs[pcr] = extend(
      pcrs[pcr] ?? initialPcr(pcr, 'sha256'),
      crypto.hash('sha256', measured ?? data),
      'sha256',
      crypto,
    );
  }
  return pcrs;
}

/** Extends registers 10 and 12 as the running image does; returns the IMA log. */
export function measureRuntime(boot: Boot, pcrs: Uint8Array[]): Uint8Array {
  const aggregate = boot.bootAggregate ?? crypto.hash('sha256', concatBytes(...pcrs.slice(0, 10)));
  const modules = boot.modules.map((name) => log.imaEntry(crypto.hash('sha256', bytes(name)), `/m/${name}`, crypto));
  const entries = boot.bootAggregate === null ? [] : [log.imaEntry(aggregate, 'boot_aggregate', crypto), ...modules];
  for (const entry of entries) pcrs[10] = extend(pcrs[10] ?? new Uint8Array(32), entry.extended, 'sha256', crypto);
  if (boot.configuration.length > 0) {
    pcrs[12] = extend(pcrs[12] ?? new Uint8Array(32), crypto.hash('sha256', boot.configuration), 'sha256', crypto);
  }
  return concatBytes(...entries.map((entry) => entry.bytes));
}
