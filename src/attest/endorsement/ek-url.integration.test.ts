/** The address that tpm2_getekcertificate asks for an EK, caught by a server of ours, is the one we print. */
import { writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { withKeys } from 'tpm2-ts/attester';
import { decode, encode } from 'tpm2-ts/codec';
import { tpm2bPublic, tpmtPublic } from 'tpm2-ts/public-area';
import { startTestTpm, type TestTpm } from 'tpm2-ts/testing/swtpm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nodeAttestCrypto as crypto } from '../crypto/crypto-node.ts';
import { ekCertificateUrls } from './ek-url.ts';

let machine: TestTpm;
let server: Server;
const asked: (string | undefined)[] = [];

beforeAll(async () => {
  machine = await startTestTpm();
  server = createServer((request, response) => {
    asked.push(request.url);
    response.end('{"pubhash":"","certificate":""}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  server.close();
  await machine.stop();
});

describe('tpm2_getekcertificate', () => {
  it.each(['rsa', 'ecc'] as const)('asks where we say, for an EK of template %s', async (kind) => {
    const tpm = await machine.open();
    const ek = decode(
      tpmtPublic,
      await withKeys(tpm, { ek: kind, ak: 'ecc' }, async ({ ek: { publicArea } }) => publicArea),
    );
    await tpm.close();
    await writeFile(join(machine.folder, `${kind}.pub`), encode(tpm2bPublic, ek));
    const { port } = server.address() as AddressInfo;
    const service = `http://127.0.0.1:${port}/ekcertservice/`;
    await machine.tool('tpm2_getekcertificate', '-u', `${kind}.pub`, '-x', '--raw', '-o', `${kind}.json`, service);
    expect(`https://ekop.intel.com${asked.at(-1)}`).toBe(ekCertificateUrls(ek, crypto).intel);
  });
});
