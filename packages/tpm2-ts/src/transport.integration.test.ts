/** One suite, every transport; and what a transport says when there is no TPM behind it. */
import { accessSync, constants } from 'node:fs';
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { getRandom } from './commands-state.ts';
import { startTestTpm } from './testing/swtpm.ts';
import { transportSuite } from './testing/transport-suite.ts';
import { DEFAULT_DEVICE, openTpmDevice } from './transport-device.ts';
import { openSwtpm } from './transport-swtpm.ts';

transportSuite('swtpm over TCP', () => startTestTpm('tcp'));
transportSuite('swtpm over a Unix socket', () => startTestTpm('unix'));
transportSuite(DEFAULT_DEVICE, async () => ({ open: () => openTpmDevice(), stop: async () => {} }), {
  skipReason: deviceProblem(),
});

function deviceProblem(): string | undefined {
  try {
    accessSync(DEFAULT_DEVICE, constants.R_OK | constants.W_OK);
    return undefined;
  } catch (error) {
    return `${DEFAULT_DEVICE} ${(error as NodeJS.ErrnoException).code}`;
  }
}

describe('a TPM that is not there', () => {
  it('device: says so with the next step', async () => {
    await expect(openTpmDevice('/nonexistent/tpm')).rejects.toMatchObject({
      code: 'OPEN_FAILED',
      message: '/nonexistent/tpm cannot be opened: ENOENT',
      nextStep: expect.stringContaining('firmware setup'),
    });
  });

  it('device: an answer that is no response is an error, not a value', async () => {
    const tpm = await openTpmDevice('/dev/null');
    await expect(getRandom(tpm, 8)).rejects.toMatchObject({ code: 'RESPONSE_MALFORMED' });
    await expect(getRandom(tpm, 8)).rejects.toMatchObject({ code: 'CLOSED' });
  });

  it('socket: says so with the next step', async () => {
    await expect(openSwtpm({ path: '/nonexistent/sock' })).rejects.toMatchObject({
      code: 'OPEN_FAILED',
      nextStep: expect.stringContaining('swtpm'),
    });
  });

  it.each([
    { name: 'closes at once', bytes: undefined, code: 'CLOSED' },
    { name: 'announces 4 GiB', bytes: [0x80, 1, 0xff, 0xff, 0xff, 0xff], code: 'RESPONSE_MALFORMED' },
    { name: 'announces less than a header', bytes: [0x80, 1, 0, 0, 0, 9], code: 'RESPONSE_MALFORMED' },
    { name: 'says more than it announced', bytes: [0x80, 1, 0, 0, 0, 10, 0, 0, 0, 0, 0], code: 'RESPONSE_MALFORMED' },
  ])('socket: a peer that $name is refused', async ({ bytes, code }) => {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => (bytes === undefined ? socket.destroy() : socket.write(Uint8Array.from(bytes))));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const tpm = await openSwtpm({ host: '127.0.0.1', port });
    await expect(getRandom(tpm, 8)).rejects.toMatchObject({ name: 'TpmTransportError', code });
    await tpm.close();
    await new Promise((resolve) => server.close(resolve));
  });
});
