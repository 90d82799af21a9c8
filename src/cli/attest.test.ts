import { createHash, createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { UNJUDGED_TPM } from '../attest/endorsement/ek.ts';
import type { Evidence } from '../attest/evidence.ts';
import { type AttestRequest, newMachine } from '../attest/testing/attester-node.ts';
import { type Boot, GOOD_BOOT, referenceValuesOf } from '../attest/testing/boot-node.ts';
import { encodeEvidence } from '../protocol/evidence-document.ts';
import { encodeReport } from '../protocol/report-document.ts';
import { fromHex, toHex } from '../shared/bytes.ts';
import { attestCommand } from './attest.ts';
import { runCommand } from './testing/run-command.ts';

const broker = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const brokerSpki = createPublicKey(broker).export({ format: 'der', type: 'spki' });
const brokerId = new Uint8Array(createHash('sha256').update(brokerSpki).digest());
const challenge = new Uint8Array(32).fill(5);
const machine = newMachine();
const opinion = {
  status: 'accepted' as const,
  checks: [],
  image: null,
  pcrs: [],
  banks: [],
  firmware: null,
  workarounds: [],
  clock: null,
  claims: null,
  limits: [],
};
const ownId = createHash('sha256').update(fromHex(machine.activation.ekName)).digest('hex');
let folder = '';
const path = (name: string): string => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'attest-cli-'));
  await writeFile(path('reference.json'), JSON.stringify(referenceValuesOf(GOOD_BOOT)));
  await writeFile(path('trust.pem'), new X509Certificate(machine.authority.certificate).toString());
  await writeFile(path('nonce'), `${toHex(challenge)}\n`);
  await writeReport('report.json', GOOD_BOOT);
  await writeReport('renamed.json', GOOD_BOOT, 'cd'.repeat(32));
});
afterAll(() => rm(folder, { recursive: true }));
afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = 0;
});

async function writeReport(
  name: string,
  boot: Boot,
  machineId = ownId,
  attest: Partial<AttestRequest> = {},
): Promise<Evidence> {
  const evidence = machine.attest({ challenge, brokerId, boot, ...attest });
  const report = {
    machineId,
    brokerId,
    challenge,
    receivedAt: '2026-11-21T04:00:00.000Z',
    evidence,
    activation: machine.transcript(broker),
  };
  const tpm = { ...UNJUDGED_TPM, class: 'hardware' as const, evidence: "the broker's opinion" };
  await writeFile(path(name), JSON.stringify(encodeReport(report, { ...opinion, tpm })));
  return evidence;
}

const run = (...args: string[]) => runCommand(attestCommand, ['attest', ...args]);

const verify = (report: string, ...more: string[]) =>
  run(
    'verify',
    path(report),
    '--reference',
    path('reference.json'),
    '--trust',
    path('trust.pem'),
    '--at',
    '2026-11-21T05:00:00Z',
    ...more,
  );

describe('attest verify', () => {
  const nonce = ['--nonce', toHex(challenge)];
  const software = ['--accept-class', 'software'];

  it('accepts a good report: exit 0, in 80 columns', async () => {
    const { output, exitCode } = await verify('report.json', ...nonce, ...software);
    expect(exitCode).toBe(0);
    expect(output.split('\n')[0]).toBe('ACCEPTED');
    expect(output).toContain('cpushare-seller 0.1.0');
    const prose = output.split('\n').filter((line) => !/[0-9a-f]{64}/.test(line));
    expect(prose.filter((line) => line.length > 80)).toEqual([]);
  });

  it('takes the nonce from a file, the broker by id, and prints JSON', async () => {
    const args = ['--nonce', `@${path('nonce')}`, '--broker', toHex(brokerId), ...software, '--json'];
    const { output, exitCode } = await verify('report.json', ...args);
    expect(exitCode).toBe(0);
    expect(JSON.parse(output)).toMatchObject({ status: 'accepted', tpm: { class: 'software' } });
  });

  it('takes the class that the named authority vouches for, and says what it is worth', async () => {
    const { output, exitCode } = await verify('report.json', ...nonce);
    expect(exitCode).toBe(0);
    expect(output).toContain('A software TPM proves nothing about the machine');
  });

  it('refuses a software TPM where only hardware is accepted: exit 1', async () => {
    const { output, exitCode } = await verify('report.json', ...nonce, '--accept-class', 'hardware');
    expect(exitCode).toBe(1);
    expect(output).toMatch(/^REFUSED\n {2}The TPM is of class software/);
  });

  it('names the first failing check and the component first', async () => {
    await writeReport('changed.json', { ...GOOD_BOOT, parameters: 'quiet init=/bin/sh' });
    const { output, exitCode } = await verify('changed.json', ...nonce, ...software);
    expect(exitCode).toBe(1);
    expect(output).toMatch(/^REFUSED\n {2}kernel command line differs: expected/);
    expect(output).toContain('init=/bin/sh');
    expect(output).toMatch(/\n {2}cpushare attest explain \S+changed\.json --reference \S+reference\.json$/);
  });

  it('refuses the report for another nonce, and of another broker', async () => {
    const other = await verify('report.json', '--nonce', 'ab'.repeat(32), ...software, '--json');
    expect(other.output).toContain('CHALLENGE_MISMATCH');
    const stranger = await verify('report.json', ...nonce, '--broker', 'ab'.repeat(32), ...software, '--json');
    expect(stranger.output).toContain('ACTIVATION_BROKER_MISMATCH');
    expect([other.exitCode, stranger.exitCode]).toEqual([1, 1]);
  });

  it.each([
    { name: 'a report that is not there', args: ['none.json', ...nonce], code: 'FILE_UNREADABLE' },
    {
      name: 'a report under the name of another machine',
      args: ['renamed.json', ...nonce],
      code: 'REPORT_MACHINE_MISMATCH',
    },
    { name: 'a report that is none', args: ['reference.json', ...nonce], code: 'REPORT_MALFORMED' },
    { name: 'a nonce that is none', args: ['report.json', '--nonce', 'abc'], code: 'NONCE_BAD' },
    {
      name: 'reference values that are none',
      args: ['report.json', ...nonce, '--reference', 'NONCE'],
      code: 'REFERENCE_VALUES_MALFORMED',
    },
    {
      name: 'a trust file without certificates',
      args: ['report.json', ...nonce, '--trust', 'NONCE'],
      code: 'TRUST_FILE_BAD',
    },
    { name: 'a time that is none', args: ['report.json', ...nonce, '--at', 'noon'], code: 'TIME_BAD' },
  ])('cannot judge with $name', async ({ args, code }) => {
    const [report = '', ...more] = args.map((each) => (each === 'NONCE' ? path('nonce') : each));
    const withoutTime =
      code === 'TIME_BAD' ? ['verify', path(report), '--reference', path('reference.json'), ...more] : null;
    const ran = withoutTime === null ? verify(report, ...more) : run(...withoutTime);
    await expect(ran).rejects.toThrow(expect.objectContaining({ code }));
  });
});

describe('attest verify --after and attest explain --against', () => {
  const at = (clock: bigint, resetCount: number) => ({ clock: { clock, resetCount } });
  const judged = (report: string, after: string) =>
    verify(report, '--nonce', toHex(challenge), '--accept-class', 'software', '--after', path(after));
  beforeAll(async () => {
    await writeReport('monday.json', GOOD_BOOT, ownId, at(500_000n, 3));
    await writeReport('tuesday.json', GOOD_BOOT, ownId, at(900_000n, 5));
  });

  it('takes the earlier clock as the last one known', async () => {
    const forth = await judged('tuesday.json', 'monday.json');
    expect(forth.exitCode).toBe(0);
    expect(forth.output).toContain('TPM resets:   5, resumed 0 times since; powered for 15 min in all');
    const back = await judged('monday.json', 'tuesday.json');
    expect(back.exitCode).toBe(1);
    expect(back.output).toContain('[QUOTE_CLOCK_BACKWARDS]');
  });

  it('takes nothing from a report of another machine, or whose quote is not proven', async () => {
    const other = newMachine();
    const document = JSON.parse(await readFile(path('monday.json'), 'utf8'));
    const evidence = encodeEvidence(other.attest({ challenge, brokerId }));
    const id = createHash('sha256').update(fromHex(other.activation.ekName)).digest('hex');
    await writeFile(path('other.json'), JSON.stringify({ ...document, machineId: id, evidence }));
    await expect(judged('tuesday.json', 'other.json')).rejects.toMatchObject({ code: 'EARLIER_REPORT_OTHER_MACHINE' });
    const quote = Buffer.from(document.evidence.quote, 'base64');
    const clockAt = quote.length - 34 - 10 - 8 - 17;
    quote[clockAt + 7] = 0;
    const forged = { ...document, evidence: { ...document.evidence, quote: quote.toString('base64') } };
    await writeFile(path('forged.json'), JSON.stringify(forged));
    await expect(judged('tuesday.json', 'forged.json')).rejects.toMatchObject({
      code: 'EARLIER_REPORT_UNPROVEN',
      message: expect.stringContaining('QUOTE_SIGNATURE_INVALID'),
    });
    const keyless = { ...document, evidence: { ...document.evidence, akPublic: evidence.akPublic } };
    await writeFile(path('keyless.json'), JSON.stringify(keyless));
    await expect(judged('tuesday.json', 'keyless.json')).rejects.toMatchObject({ code: 'EARLIER_REPORT_UNPROVEN' });
  });

  it('says whether the machine was restarted in between', async () => {
    const { output } = await run('explain', path('tuesday.json'), '--against', path('monday.json'));
    expect(output).toContain('The machine was restarted in between: its TPM was reset 2 times.');
    const json = await run('explain', path('monday.json'), '--against', path('monday.json'), '--json');
    expect(JSON.parse(json.output).restarts).toBe('The machine was not restarted in between.');
  });
});

describe('attest log', () => {
  it('prints registers and events, as text and as JSON', async () => {
    const evidence = machine.attest({ challenge, brokerId });
    await writeFile(path('log.bin'), evidence.eventLog);
    const text = await run('log', path('log.bin'));
    expect(text.output).toContain('kernel command line: /boot/vmlinuz quiet lockdown=confidentiality');
    expect(text.output).toContain('file /boot/initrd.img (unproven)');
    vi.restoreAllMocks();
    const report = JSON.parse((await run('log', path('log.bin'), '--json')).output);
    expect(report.banks.sha256['8']).toBe(toHex(evidence.pcrs.sha256?.[8] ?? new Uint8Array()));
    expect(report.events.length).toBeGreaterThan(20);
  });

  it('says what is wrong with a log that is cut', async () => {
    await writeFile(path('cut.bin'), machine.attest({ challenge, brokerId }).eventLog.subarray(0, 100));
    await expect(run('log', path('cut.bin'))).rejects.toThrow(expect.objectContaining({ code: 'LOG_TRUNCATED' }));
  });
});
