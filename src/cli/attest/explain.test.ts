import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { fixturePath } from '../../../test/fixtures/load.ts';
import { runCommand } from '../testing/run-command.ts';
import { explainCommand } from './explain.ts';

const fixture = (file: string, name: 'p256' | 'rsa2048' = 'p256'): string => fixturePath(name, file).pathname;
const reference = ['--reference', fixture('reference-values.json')];
const asked = ['--nonce', `@${fixture('nonce')}`, '--trust', fixture('trust.pem'), '--at', '2026-11-22T12:00:00Z'];
let folder = '';
const path = (name: string): string => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'explain-cli-'));
  const report = JSON.parse(await readFile(fixture('report.json'), 'utf8')) as { evidence: { eventLog: string } };
  await writeFile(
    path('no-log.json'),
    JSON.stringify({ ...report, evidence: { ...report.evidence, eventLog: 'AAAA' } }),
  );
  const values = JSON.parse(await readFile(fixture('reference-values.json'), 'utf8')) as { image: object };
  await writeFile(
    path('same-by-another-name.json'),
    JSON.stringify({ ...values, image: { name: 'other', version: '9' } }),
  );
});
afterAll(() => rm(folder, { recursive: true }));
afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = 0;
});

const run = (...args: string[]) => runCommand(explainCommand, ['explain', ...args]);

describe('attest explain on a real boot', () => {
  it('without a nonce explains, says that nothing is verified, and does not end well', async () => {
    const { output, exitCode } = await run(fixture('report.json'), ...reference);
    expect(output).toMatch(/^EXPLAINED, NOT VERIFIED\n/);
    expect(output).toMatch(/^Nearest: +cpushare-seller 0\.1\.0, exactly$/m);
    expect(output).toContain('Nothing changed in what was compared.');
    expect(exitCode).toBe(1);
    expect(output.split('\n').filter((line) => line.length > 80)).toEqual([]);
  });

  it('with nonce, trust and reference values says that it is accepted', async () => {
    const { output, exitCode } = await run(fixture('report.json'), ...reference, ...asked);
    expect(output).toMatch(/^ACCEPTED\n/);
    expect(exitCode).toBe(0);
  });

  it('with another nonce says that it is refused', async () => {
    const nonce = ['--nonce', '00'.repeat(32), ...asked.slice(2)];
    const { output, exitCode } = await run(fixture('report.json'), ...reference, ...nonce);
    expect(output).toMatch(/^REFUSED\n/);
    expect(output).toContain('[CHALLENGE_MISMATCH]');
    expect(exitCode).toBe(1);
  });

  it('a nonce without reference values verifies nothing', async () => {
    const { output, exitCode } = await run(fixture('report.json'), ...asked);
    expect(output).toMatch(/^EXPLAINED, NOT VERIFIED\n/);
    expect(output).toContain('There was nothing to compare with.');
    expect(exitCode).toBe(1);
  });

  it('compares with an earlier report', async () => {
    const { output } = await run(fixture('report.json'), '--against', fixture('report.json', 'rsa2048'));
    expect(output).toMatch(/^ +7 {2}Secure Boot and its keys +as at the earlier boot$/m);
    expect(output).toMatch(/^ +8 {2}GRUB commands and kernel parameters +as at the earlier boot$/m);
  });

  it('prints the same as JSON', async () => {
    const { output } = await run(fixture('report.json'), ...reference, '--json');
    const json = JSON.parse(output);
    expect(json).toMatchObject({ verified: false, nearest: [{ differences: 0 }], changes: [] });
    expect(json.registers).toHaveLength(16);
    expect(json.registers[8].measurements[0]).toMatchObject({
      kind: 'same',
      seen: { name: 'GRUB command', proven: true },
    });
  });

  it('says what it can of a report whose log cannot be read', async () => {
    const { output, exitCode } = await run(path('no-log.json'), ...reference);
    expect(output).toContain('[EVENT_LOG_TRUNCATED]');
    expect(output).toContain('there is nothing to explain');
    expect(exitCode).toBe(1);
  });

  it('names every release that fits', async () => {
    const both = [...reference, '--reference', path('same-by-another-name.json')];
    const { output } = await run(fixture('report.json'), ...both);
    expect(output).toMatch(/^Nearest: +cpushare-seller 0\.1\.0, exactly\n +other 9, exactly$/m);
  });
});
