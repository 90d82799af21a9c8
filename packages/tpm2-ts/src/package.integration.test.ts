/** The packed package in the hands of somebody else: installed from its tarball, type-checked strictly, and run. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const exec = promisify(execFile);
const root = join(import.meta.dirname, '..');
const tsc = join(createRequire(import.meta.url).resolve('typescript/package.json'), '../bin/tsc');

let folder: string;
let files: readonly string[];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tpm2-ts-consumer-'));
  await exec(process.execPath, [tsc, '-b'], { cwd: root });
  const packed = await exec('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], { cwd: root });
  const home = join(folder, 'node_modules/tpm2-ts');
  await mkdir(home, { recursive: true });
  const [tarball] = JSON.parse(packed.stdout);
  files = tarball.files.map(({ path }: { path: string }) => path);
  await exec('tar', ['-xzf', tarball.filename, '-C', home, '--strip-components=1'], {
    cwd: folder,
  });
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('the tarball', () => {
  it('holds compiled modules, the licence and the README, and nothing else', () => {
    const other = files.filter((path) => !/^dist\/[a-z0-9-]+\.(js|d\.ts)$/.test(path));
    expect(other.sort()).toEqual(['LICENSE', 'README.md', 'package.json']);
  });

  it('holds every file that a door leads to', async () => {
    const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
    const doors = Object.entries<{ types?: string; default?: string }>(manifest.exports);
    const wanted = doors.flatMap(([, door]) => [door.types ?? [], door.default ?? []].flat());
    expect(wanted.length).toBeGreaterThan(60);
    expect(wanted.map((path) => path.slice(2)).filter((path) => !files.includes(path))).toEqual([]);
  });
});

const USE = `
import { type TpmsAttest, tpmsAttest } from 'tpm2-ts/attest';
import { decode, encode } from 'tpm2-ts/codec';
import { TpmCodecError } from 'tpm2-ts/errors';
import { EK_TEMPLATES } from 'tpm2-ts/templates';
import { tpmtPublic } from 'tpm2-ts/public-area';

export function kindOf(statement: TpmsAttest): string {
  return statement.type === 'quote' ? statement.pcrSelect.map(({ hash }) => hash).join() : statement.type;
}
const bytes: Uint8Array = encode(tpmtPublic, EK_TEMPLATES.ecc);
const key = decode(tpmtPublic, bytes);
if (key.type === 'ecc') console.log(key.curve);
try {
  console.log(kindOf(decode(tpmsAttest, bytes)));
} catch (error) {
  if (error instanceof TpmCodecError) console.log(error.code, error.path, error.offset);
}
`;

async function check(source: string, ...options: readonly string[]): Promise<string> {
  await writeFile(join(folder, 'use.ts'), source);
  const strict = ['--strict', '--exactOptionalPropertyTypes', '--target', 'es2022', '--module', 'nodenext'];
  const answer = await exec(process.execPath, [tsc, ...strict, '--types', '', ...options, 'use.ts'], {
    cwd: folder,
  }).catch((failure: { stdout: string }) => failure);
  return answer.stdout;
}

describe('who installs the package', () => {
  it('gets types that hold without Node.js, checked in full', async () => {
    expect(await check(USE, '--lib', 'es2022', '--noEmit', '--skipLibCheck', 'false')).not.toMatch(/error TS(?!2584)/);
  });

  it('is told of a wrong use', async () => {
    const wrong = `import { encode, u16 } from 'tpm2-ts/codec';\nencode(u16, 'text');\n`;
    expect(await check(wrong, '--lib', 'es2022', '--noEmit')).toContain("Argument of type 'string'");
    const inside = `import { Reader } from 'tpm2-ts/byte-io';\nconsole.log(Reader);\n`;
    expect(await check(inside, '--lib', 'es2022', '--noEmit')).toContain("Cannot find module 'tpm2-ts/byte-io'");
  });

  it('runs it', async () => {
    await check(USE, '--lib', 'es2022,dom');
    const { stdout } = await exec(process.execPath, ['use.js'], { cwd: folder });
    expect(stdout).toBe('p256\nBAD_VALUE magic 0\n');
  });

  it('does not meet our tests', async () => {
    await expect(
      exec(process.execPath, ['-e', "await import('tpm2-ts/testing/swtpm')", '--input-type=module'], { cwd: folder }),
    ).rejects.toThrow('ERR_PACKAGE_PATH_NOT_EXPORTED');
  });
});
