/** UTCTime and GeneralizedTime, RFC 5280 §4.1.2.5. */
import { type DerElement, malformed, TAG } from './der.ts';

export interface DerTime {
  /** Milliseconds since 1970, UTC. */
  readonly ms: number;
  /** Written in the one form that RFC 5280 allows for this date: UTCTime until 2049, with seconds and `Z`. */
  readonly profile: boolean;
}

/** Also reads what BER allows: no seconds, fractions of a second, another time zone. @throws DerError */
export function derTime(element: DerElement): DerTime {
  const general = element.tag === TAG.generalizedTime;
  if (!general && element.tag !== TAG.utcTime) throw malformed(element.start, 'no time');
  if (element.end - element.content > 32) throw malformed(element.start, 'a time that is too long');
  let text = '';
  for (let index = element.content; index < element.end; index += 1) {
    text += String.fromCharCode(element.bytes[index] ?? 0);
  }
  const match = (general ? GENERAL : UTC).exec(text);
  if (match === null) throw malformed(element.start, 'a time that cannot be read');
  const [, yearText = '', month = '', day = '', hour = '', minute = '', second, fraction, zone = ''] = match;
  const shortYear = Number(yearText);
  const year = general ? shortYear : shortYear + (shortYear < 50 ? 2000 : 1900);
  const ms = epoch(year, Number(month), Number(day), Number(hour), Number(minute), Number(second ?? 0));
  const offset = offsetMs(zone);
  if (ms === null || offset === null) throw malformed(element.start, `the time ${text} does not exist`);
  const profile = second !== undefined && fraction === undefined && zone === 'Z' && (!general || year >= 2050);
  return { ms: ms - offset, profile };
}

const UTC = /^(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})?()?(Z|[+-]\d{4})$/;
const GENERAL = /^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})?([.,]\d{1,9})?(Z|[+-]\d{4})$/;

function epoch(year: number, month: number, day: number, hour: number, minute: number, second: number): number | null {
  if (month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 59) return null;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  if (date.getUTCDate() !== day) return null;
  return date.getTime() + ((hour * 60 + minute) * 60 + second) * 1000;
}

function offsetMs(zone: string): number | null {
  if (zone === 'Z') return 0;
  const [hours, minutes] = [Number(zone.slice(1, 3)), Number(zone.slice(3, 5))];
  if (hours > 23 || minutes > 59) return null;
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes) * 60_000;
}
