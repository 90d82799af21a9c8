import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { EventType } from '../../attest/event-log/event-types.ts';
import { agileLog, text } from '../../attest/event-log/testing/raw-log.ts';
import { concatBytes } from '../../shared/bytes.ts';
import { printLogs } from './print-logs.ts';

let folder: string;
let output: string[];
let errors: string[];
const path = (name: string): string => join(folder, name);
const log = agileLog(['sha256'], [{ pcr: 4, type: EventType.EFI_ACTION, data: text('Calling EFI Application') }]);
const ccel = concatBytes(
  agileLog(['sha384'], [{ pcr: 1, type: EventType.EFI_ACTION, data: text('x') }]),
  new Uint8Array(9),
);
const json = { json: true, format: 'pcr' } as const;
const plain = { json: false, format: 'pcr' } as const;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'print-logs-'));
  mkdirSync(path('deep'));
  writeFileSync(path('a.bin'), log);
  writeFileSync(path('deep/b.bin'), log);
  writeFileSync(path('README'), 'This is no event log, but long enough to be read as the beginning of one.');
  symlinkSync(path('a.bin'), path('link.bin'));
  output = [];
  errors = [];
  vi.spyOn(console, 'log').mockImplementation((line) => output.push(String(line)));
  vi.spyOn(console, 'error').mockImplementation((line) => errors.push(String(line)));
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

describe('attest log', () => {
  it('prints one file alone', () => {
    expect(printLogs([path('a.bin')], json)).toBe(0);
    expect(JSON.parse(output.join('\n'))).toMatchObject({ format: 'crypto-agile', events: [{}, { pcr: 4 }] });
  });

  it('throws for one file that is none, or is not there', () => {
    expect(() => printLogs([path('README')], plain)).toThrow(expect.objectContaining({ code: 'LOG_EVENT_BAD' }));
    expect(() => printLogs([path('nothing')], plain)).toThrow(expect.objectContaining({ code: 'FILE_UNREADABLE' }));
  });

  it('prints a line for each file of a folder, with what is refused, and goes on', () => {
    expect(printLogs([folder], json)).toBe(1);
    const lines = output.map((line) => JSON.parse(line));
    expect(lines.map(({ file }) => file)).toEqual([path('README'), path('a.bin'), path('deep/b.bin')]);
    expect(lines[0].refused.code).toBe('LOG_EVENT_BAD');
    expect(lines[2].banks.sha256['4']).toBe(lines[1].banks.sha256['4']);
  });

  it('prints several for people, each under its name', () => {
    expect(printLogs([path('a.bin'), path('README'), path('nothing'), path('deep')], plain)).toBe(2);
    expect(output.map((each) => each.split('\n')[0])).toEqual([`==> ${path('a.bin')}`, `==> ${path('deep/b.bin')}`]);
    expect(errors.map((each) => /\[(\w+)\]$/.exec(each)?.[1])).toEqual(['LOG_EVENT_BAD', 'FILE_UNREADABLE']);
  });

  it('reads the log of a confidential VM, padding and all', () => {
    writeFileSync(path('ccel'), ccel);
    printLogs([path('ccel')], { json: false, format: 'ccel' });
    expect(output.join('\n')).toContain('MR  1  EV_EFI_ACTION');
    expect(output.join('\n')).toContain('9 padding bytes');
  });
});
