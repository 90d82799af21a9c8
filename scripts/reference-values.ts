/**
 * Reference Values (RFC 9334) of an image, computed from its files alone: every event that firmware, shim, GRUB and the
 * kernel's EFI stub will measure into PCR 4, 8, 9 and 14, and the values these registers end with. TCG PC Client Platform
 * Firmware Profile §3.3.4 (use of PCRs), UEFI stub: Documentation/arch/x86/boot.rst and drivers/firmware/efi/libstub.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import type { ReferenceEvent, ReferencePcrs, ReferenceValues } from '../src/attest/image/reference-values.ts';
import { authenticodeSha256 } from './pe.ts';
import { type GrubPrediction, predictGrub } from './reference-values-grub.ts';
import { mokVariables } from './reference-values-mok.ts';

export interface ReferenceInput {
  readonly image: ReferenceValues['image'];
  readonly lockSha256: string;
  readonly iso: string;
  readonly shim: string;
  readonly grub: string;
  readonly kernel: string;
  readonly grubConfig: string;
  readonly initrd: string;
  /** Uncompressed, as IMA measures them; `path` as it is in the image. */
  readonly kernelModules: ReferenceValues['kernelModules'];
}

/** @throws PeError, GrubPredictionError when a file is not one whose measurements can be foreseen */
export async function computeReferenceValues(input: ReferenceInput): Promise<ReferenceValues> {
  const shim = await readFile(input.shim);
  const grub = await readFile(input.grub);
  const kernel = await readFile(input.kernel);
  const grubConfig = await readFile(input.grubConfig);
  const prediction = predictGrub(grubConfig.toString('utf8'));
  const components = {
    shim: { sha256: sha256(shim), authenticodeSha256: authenticodeSha256(shim) },
    grub: { sha256: sha256(grub), authenticodeSha256: authenticodeSha256(grub) },
    kernel: { sha256: sha256(kernel), authenticodeSha256: authenticodeSha256(kernel) },
    grubConfig: { sha256: sha256(grubConfig) },
    initrd: { sha256: await sha256OfFile(input.initrd), sizeBytes: (await stat(input.initrd)).size },
  };
  const events = [
    ...bootApplicationEvents(components),
    ...grubEvents(prediction),
    ...fileEvents(components, prediction),
    ...mokVariables(shim).map(({ content }) => event(14, 'MOK list', sha256(content))),
  ];
  const pcrs = replay(events);
  return {
    format: 'cpushare-reference-values',
    version: 1,
    image: input.image,
    iso: { sha256: await sha256OfFile(input.iso), sizeBytes: (await stat(input.iso)).size },
    lock: { sha256: input.lockSha256 },
    components,
    grubCommands: prediction.commands,
    kernelCommandLine: prediction.kernelCommandLine,
    loadOptions: prediction.loadOptions,
    events,
    // File contents and words only: the medium's name is in no digest, so both ways to boot end with the same values.
    pcrs: { cd: pcrs, usb: pcrs },
    kernelModules: [...input.kernelModules].sort((a, b) => (a.path < b.path ? -1 : 1)),
  };
}

/** PCR 4: the firmware's decision to boot, and each program on the way. */
function bootApplicationEvents(components: ReferenceValues['components']): ReferenceEvent[] {
  const action = 'Calling EFI Application from Boot Option';
  return [
    event(4, 'start of the boot loader', sha256(action), action),
    event(4, 'separator', sha256(new Uint8Array(4))),
    event(4, 'shim', components.shim.authenticodeSha256),
    event(4, 'GRUB', components.grub.authenticodeSha256),
    event(4, 'kernel', components.kernel.authenticodeSha256),
  ];
}

/** PCR 8: GRUB measures each command before it runs; `linux` adds the command line it will hand over. */
function grubEvents(prediction: GrubPrediction): ReferenceEvent[] {
  return prediction.commands.flatMap((command) => {
    const line = event(8, 'GRUB command', sha256(command), command);
    if (!command.startsWith('linux ')) return [line];
    const { kernelCommandLine } = prediction;
    return [line, event(8, 'kernel command line', sha256(kernelCommandLine), kernelCommandLine)];
  });
}

/**
 * PCR 9: files as GRUB reads them (its configuration twice), then what the EFI stub was handed. GRUB pads an initrd to four
 * bytes only where another follows; ours is one file, and of whole words besides.
 */
function fileEvents(components: ReferenceValues['components'], { loadOptions }: GrubPrediction): ReferenceEvent[] {
  return [
    event(9, 'grub.cfg', components.grubConfig.sha256),
    event(9, 'grub.cfg', components.grubConfig.sha256),
    event(9, 'kernel', components.kernel.sha256),
    event(9, 'initrd', components.initrd.sha256),
    event(9, 'kernel command line', sha256(Buffer.from(loadOptions, 'utf16le')), loadOptions),
    event(9, 'initrd', components.initrd.sha256),
  ];
}

function event(pcr: ReferenceEvent['pcr'], component: string, digest: string, text?: string): ReferenceEvent {
  return text === undefined ? { pcr, component, digest } : { pcr, component, digest, text };
}

/** extend: new = SHA-256(old ‖ digest), from 32 zero bytes. */
function replay(events: readonly ReferenceEvent[]): ReferencePcrs {
  const value = (pcr: ReferenceEvent['pcr']) =>
    events
      .filter((one) => one.pcr === pcr)
      .reduce((old, one) => hashOf(old, Buffer.from(one.digest, 'hex')), Buffer.alloc(32))
      .toString('hex');
  return { '4': value(4), '8': value(8), '9': value(9), '14': value(14) };
}

async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest('hex');
}

const sha256 = (content: Uint8Array | string) => createHash('sha256').update(content).digest('hex');

const hashOf = (...parts: readonly Uint8Array[]) => createHash('sha256').update(Buffer.concat(parts)).digest();
