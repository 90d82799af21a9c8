/** The example of README.md, run as it stands there: its imports on files beside this one, its device replaced by swtpm. */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestTpm, type TestTpm } from './testing/swtpm.ts';

let machine: TestTpm;
beforeAll(async () => {
  machine = await startTestTpm('unix');
});
afterAll(() => machine?.stop());

it('the example of the README runs', async () => {
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
  const code = /```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';
  const body = code
    .replaceAll(/import \{ (.*) \} from 'tpm2-ts\/(.*)';/g, "const { $1 } = await import('$2');")
    .replaceAll(/await import\('(.*)'\)/g, (_, file: string) => `await door('${file}')`);
  expect(body).toContain("await openTpmDevice('/dev/tpmrm0')");
  const run = new Function('door', 'secret', 'challenge', `return (async () => { ${body}\n return statement; })()`);
  const challenge = new Uint8Array(randomBytes(32));
  const door = async (file: string) =>
    file === 'transport-device'
      ? { openTpmDevice: machine.open }
      : import(/* @vite-ignore */ new URL(`${file}.ts`, import.meta.url).href);
  await expect(run(door, randomBytes(32), challenge)).resolves.toMatchObject({
    type: 'quote',
    extraData: challenge,
    pcrSelect: [{ hash: 'sha256', pcrs: [0, 4, 7] }],
  });
});
