/** One measurement as both sides of a comparison have it: from an event log, or from reference values. */
import { toHex } from '../../shared/bytes.ts';
import type { DecodedEvent } from '../event-log/decode.ts';
import { describeEvent } from '../event-log/describe.ts';
import { EventType, eventTypeName } from '../event-log/event-types.ts';
import type { ReferenceEvent, ReferenceValues } from '../image/reference-values.ts';

export interface Measurement {
  readonly pcr: number;
  /** sha256 bank, hex. */
  readonly digest: string;
  /** What it is about: two measurements with a subject in common may be the same thing, changed. */
  readonly subjects: readonly string[];
  /** How a person calls it. */
  readonly name: string;
  /** What it says, in one line; null where only the digest is known. */
  readonly says: string | null;
  /** The digest binds what it says. */
  readonly proven: boolean;
  /** Null for reference values. */
  readonly decoded: DecodedEvent | null;
}

/** Which of shim's lists an event of register 14 is about is hearsay. */
const MOK_SUBJECT = "shim's list";

/** All that a log extends in the sha256 bank, in order. */
export function measurementsOf(events: readonly DecodedEvent[]): readonly Measurement[] {
  return events.flatMap((decoded) => {
    const { event } = decoded;
    const digest = event.digests.get('sha256');
    if (event.type === EventType.NO_ACTION || digest === undefined) return [];
    const name = nameOf(decoded);
    const says = saysOf(decoded);
    return [
      {
        pcr: event.pcr,
        digest: toHex(digest),
        subjects: decoded.detail.kind === 'mok' ? [name, MOK_SUBJECT] : [name],
        name,
        says,
        proven: decoded.trust === 'bound',
        decoded,
      },
    ];
  });
}

function nameOf({ event, detail }: DecodedEvent): string {
  switch (detail.kind) {
    case 'variable':
      return `variable ${detail.variable.name}`;
    case 'mok':
      return `shim's ${detail.variable}`;
    case 'grub-command':
      return 'GRUB command';
    case 'kernel-command-line':
      return 'kernel command line';
    case 'load-options':
      return 'load options';
    case 'gpt':
      return 'partition table';
    case 'crtm-version':
      return 'firmware version';
    case 'firmware-blob':
      return 'firmware code';
    case 'handoff-tables':
      return 'firmware tables';
    case 'initrd':
    case 'file':
    case 'image':
    case 'separator':
      return detail.kind;
    case 'text':
      return event.type === EventType.EFI_ACTION || event.type === EventType.ACTION
        ? 'action'
        : eventTypeName(event.type);
    default:
      return eventTypeName(event.type);
  }
}

function saysOf(decoded: DecodedEvent): string | null {
  const { detail } = decoded;
  switch (detail.kind) {
    case 'grub-command':
    case 'kernel-command-line':
    case 'text':
      return detail.text;
    case 'file':
      return detail.name;
    case 'crtm-version':
      return detail.version;
    case 'image':
      return detail.devicePath === '' ? null : detail.devicePath;
    case 'separator':
      return detail.meaning;
    case 'variable':
      // without the variable's name and GUID, which the name of the measurement has
      return describeEvent(decoded).replace(/^[^:]*: /, '');
    case 'gpt':
      return describeEvent(decoded);
    case 'firmware-blob':
    case 'handoff-tables':
    case 'device-security':
      return describeEvent(decoded);
    default:
      return null;
  }
}

export function measurementsOfReference(reference: ReferenceValues): readonly Measurement[] {
  return reference.events.map((event) => ({
    pcr: event.pcr,
    digest: event.digest,
    subjects: subjectsOf(event),
    name: event.component,
    says: event.text ?? null,
    proven: true,
    decoded: null,
  }));
}

/** Which events of a log a component of our image can be, changed. */
function subjectsOf({ pcr, component }: ReferenceEvent): readonly string[] {
  if (component === 'separator' || component === 'GRUB command') return [component];
  if (pcr === 4) return component === 'start of the boot loader' ? ['action'] : ['image'];
  if (pcr === 8) return [component];
  if (pcr === 14) return [MOK_SUBJECT];
  return component === 'kernel command line'
    ? ['load options']
    : component === 'initrd'
      ? ['file', 'initrd']
      : ['file'];
}

/** `name: says`, or the beginning of the digest where nothing else is known of it. */
export function describeMeasurement({ name, says, proven, digest, decoded }: Measurement): string {
  const start = digest.slice(0, 16);
  if (says === null) return `${name} ${start}`;
  if (proven) return `${name}: ${says}`;
  return decoded?.detail.kind === 'separator' ? `${name}: ${says} (unproven)` : `${name} ${start}, called ${says}`;
}
