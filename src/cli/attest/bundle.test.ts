/** A report that carries all a third party needs, judged with nothing but nonce, trust and the id of a release. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { fixturePath, loadFixture } from '../../../test/fixtures/load.ts';
import { nodeAttestCrypto } from '../../attest/crypto/crypto-node.ts';
import { verdictOf } from '../../attest/testing/verdicts-node.ts';
import { encodeReport } from '../../protocol/report-document.ts';
import { stateStanding } from '../../protocol/report-judgement.ts';
import { attestCommand } from '../attest.ts';
import { runCommand } from '../testing/run-command.ts';

const { report, expected } = loadFixture('p256');
const { judgement: _, ...bare } = report;
const stated = stateStanding(expected(), nodeAttestCrypto);
const [id = ''] = stated.referenceIds;
const document = encodeReport(
  { ...report, judgement: stated.judgementOf(report.evidence, new Date('2026-11-21T06:30:00Z')) },
  verdictOf(),
);
let folder = '';
const path = (name: string): string => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bundle-'));
  await writeFile(path('whole.json'), JSON.stringify(document));
  const edited = structuredClone(document);
  const [values] = (edited.judgement?.referenceValues ?? []) as { image: { version: string } }[];
  if (values !== undefined) values.image.version = '6.6.6';
  await writeFile(path('edited.json'), JSON.stringify(edited));
});
afterAll(() => rm(folder, { recursive: true }));
afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = 0;
});

async function verify(file: string, reference: string, ...more: string[]) {
  const nonce = (await readFile(fixturePath('p256', 'nonce'), 'utf8')).trim();
  const args = ['--reference', reference, '--nonce', nonce, '--at', '2026-11-22T12:00:00Z', ...more];
  return runCommand(attestCommand, ['attest', 'verify', file, ...args]);
}
const trust = ['--trust', fixturePath('p256', 'trust.pem').pathname];

describe('a report of version 2', () => {
  it('is accepted by the id of a release whose values it carries', async () => {
    const { output, exitCode } = await verify(path('whole.json'), id, ...trust);
    expect(output).toMatch(/^ACCEPTED/);
    expect(exitCode).toBe(0);
  });

  it('is not trusted for what it carries: without trust named outside it is refused', async () => {
    expect(await verify(path('whole.json'), id)).toMatchObject({ exitCode: 1 });
  });

  it.each([
    { name: 'an id it does not carry', file: 'whole.json', reference: 'ab'.repeat(32) },
    { name: 'the right id over values that were edited', file: 'edited.json', reference: id },
  ])('gives no reference values under $name', async ({ file, reference }) => {
    await expect(verify(path(file), reference, ...trust)).rejects.toMatchObject({ code: 'REFERENCE_NOT_IN_REPORT' });
  });
});

it('a report of version 1, which carries none, is still read', async () => {
  await writeFile(path('bare.json'), JSON.stringify(encodeReport(bare, verdictOf())));
  expect(
    await verify(path('bare.json'), fixturePath('p256', 'reference-values.json').pathname, ...trust),
  ).toMatchObject({ exitCode: 0 });
});
