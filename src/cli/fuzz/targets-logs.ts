/** Event log and IMA log with all that looks into them. */
import { nodeAttestCrypto as crypto } from '../../attest/crypto/crypto-node.ts';
import { devicePathText } from '../../attest/event-log/device-path.ts';
import { readEfiImage, readEfiVariable } from '../../attest/event-log/efi-data.ts';
import { readGpt } from '../../attest/event-log/gpt.ts';
import { littleEndianReader } from '../../attest/event-log/little-endian.ts';
import { readLoadOption } from '../../attest/event-log/load-option.ts';
import { parseEventLog } from '../../attest/event-log/parse.ts';
import { renderEventLog, reportEventLog } from '../../attest/event-log/report.ts';
import { readSignatureLists } from '../../attest/event-log/signature-list.ts';
import { readWindowsRecords } from '../../attest/event-log/windows-records.ts';
import { ALL_WORKAROUNDS } from '../../attest/event-log/workarounds.ts';
import { parseImaLog, provenImaEntries } from '../../attest/image/ima-log.ts';
import { dbx, gpt } from './made-structures.ts';
import { filesEnding, recording } from './seeds.ts';
import { BrokenRule, requireEqual, requirePrintable, type Target } from './target.ts';

const { evidence } = recording('p256').report;
const logs = [evidence.eventLog, ...filesEnding('eventlog.bin', '-banks.bin', '-tpm12.bin')];

export function logTargets(): readonly Target[] {
  return [
    { name: 'event-log', shape: 'log', seeds: logs, maxBytes: 120_000, baseMs: 20, run: readWholeLog },
    { name: 'event-log-bytes', shape: 'bytes', seeds: logs, maxBytes: 60_000, baseMs: 20, run: readWholeLog },
    { name: 'ima-log', shape: 'bytes', seeds: [evidence.imaLog], maxBytes: 60_000, baseMs: 20, run: readIma },
    part('efi-variable', isVariable, (data) => [readEfiVariable(data), readEfiVariable(data, 6)]),
    part('efi-image', (type) => type >= 0x80000003 && type <= 0x80000005, readEfiImage),
    part('device-path', (type) => type === 0x80000003, devicePathText, 32),
    part('gpt', (type) => type === 0x80000006 || type === 0x800000e2, readGpt, 0, [gpt(0), gpt(3)]),
    part('load-option', (type) => type === 0x80000002, readLoadOption, 50),
    part('signature-list', isVariable, readSignatureLists, 38, [dbx(300).subarray(38)]),
    part(
      'windows-records',
      (type) => type === 6,
      (data) => readWindowsRecords(littleEndianReader(data)),
    ),
  ];
}

const isVariable = (type: number): boolean => type === 0x80000001 || type === 0x80000002 || type === 0x800000e0;

/** A reader of one event's data, started from the data of real events of these types, `skip` bytes in. */
function part(
  name: string,
  wanted: (type: number) => boolean,
  read: (data: Uint8Array) => unknown,
  skip = 0,
  made: readonly Uint8Array[] = [],
): Target {
  const events = logs.flatMap((log) => {
    try {
      return parseEventLog(log, { padding: 'allow', workarounds: ALL_WORKAROUNDS }).events;
    } catch {
      return []; // one of the vectors is no log
    }
  });
  const seeds = events
    .filter(({ type, data }) => wanted(type) && data.length >= skip && data.length < 20_000)
    .map(({ data }) => data.slice(skip));
  const distinct = [...new Map(seeds.map((seed) => [seed.join(), seed])).values()].slice(0, 80);
  return {
    name,
    shape: 'bytes',
    seeds: [new Uint8Array(64), ...made, ...distinct],
    maxBytes: 40_000,
    baseMs: 20,
    run: (data) => void read(data),
  };
}

function readWholeLog(input: Uint8Array): void {
  const refused = [
    () => parseEventLog(input, { padding: 'refuse' }),
    () => parseEventLog(input, { padding: 'refuse', registers: 'mr' }),
  ].map(outcome);
  const log = parseEventLog(input, { padding: 'allow', workarounds: ALL_WORKAROUNDS });
  const report = reportEventLog(log, crypto);
  JSON.stringify(report);
  requirePrintable(renderEventLog(log, crypto));
  if (report.events.length !== log.events.length) throw new BrokenRule('the report leaves out events');
  requireEqual(
    [() => parseEventLog(input, { padding: 'refuse' })].map(outcome),
    refused.slice(0, 1),
    'a second reading differs',
  );
}

/** A refusal as its text; anything else is thrown on. */
function outcome(read: () => { readonly events: readonly unknown[] }): number | string {
  try {
    return read().events.length;
  } catch (error) {
    if (error instanceof Error && 'code' in error) return error.message;
    throw error;
  }
}

function readIma(input: Uint8Array): void {
  const entries = parseImaLog(input);
  const proven = provenImaEntries(entries, new Uint8Array(32), crypto);
  if (proven !== null && proven.length > 0)
    throw new BrokenRule('entries are proven for a register that was never extended');
}
