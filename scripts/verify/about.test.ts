import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readImageSpec } from '../image-spec.ts';
import { formatLock, type ImageLock, readAnyLock } from '../lock-file.ts';
import { ABOUT_FILES } from '../medium-files.ts';
import { projectRoot } from '../project.ts';
import { isoFile } from '../testing/iso-file.ts';
import { readAbout } from './about.ts';
import { withIso } from './iso-parts.ts';
import { refuseForeignTools } from './verify-build.ts';

let folder: string;
let good: Record<string, Buffer>;
let lock: ImageLock;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cpushare-about-'));
  const lockText = await readFile(join(projectRoot, 'image/image.lock.json'), 'utf8');
  lock = await readAnyLock(join(projectRoot, 'image/image.lock.json'));
  const spec = await readImageSpec(join(projectRoot, 'image/image.json'));
  const version = {
    format: 'cpushare-image-version',
    version: 1,
    image: { name: spec.name, version: spec.version },
    date: '2026-11-19T02:12:54.000Z',
    lockSha256: createHash('sha256').update(lockText).digest('hex'),
    sourceSha256: '00'.repeat(32),
  };
  good = {
    [ABOUT_FILES.version]: Buffer.from(JSON.stringify(version)),
    [ABOUT_FILES.spec]: Buffer.from(JSON.stringify(spec)),
    [ABOUT_FILES.lock]: Buffer.from(lockText),
    [ABOUT_FILES.source]: Buffer.from('{"format":"cpushare-source-files","version":1,"files":{},"npm":{}}'),
  };
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function aboutOf(files: Record<string, Buffer>) {
  const path = join(folder, 'some.iso');
  await writeFile(path, isoFile(files));
  return withIso(path, async (iso) => readAbout(iso));
}

const without = (name: string) => Object.fromEntries(Object.entries(good).filter(([path]) => path !== name));
const coded = (code: string) => expect.objectContaining({ code, nextStep: expect.stringMatching(/\w/) }) as Error;

describe('what an ISO tells about itself', () => {
  it('is read', async () => {
    const about = await aboutOf(good);
    expect(about.version.image.name).toBe('cpushare-seller');
    expect(about.lock.packages).toHaveLength(lock.packages.length);
  });

  it.each(Object.values(ABOUT_FILES).filter((path) => path !== ABOUT_FILES.sbom))(
    'is missed when %s is absent',
    async (path) => {
      await expect(aboutOf(without(path))).rejects.toThrow(coded('ISO_WITHOUT_LOCK'));
    },
  );

  it('is refused when the lock is another than the version names, however small the difference', async () => {
    const text = Buffer.from(good[ABOUT_FILES.lock] ?? '');
    text[text.length - 1] = 0x20;
    await expect(aboutOf({ ...good, [ABOUT_FILES.lock]: text })).rejects.toThrow(coded('ISO_LOCK_DAMAGED'));
  });

  it('is refused when the lock belongs to another declaration', async () => {
    const spec = (good[ABOUT_FILES.spec] ?? '').toString().replace('"panic=', '"panic=1');
    expect(spec).not.toBe((good[ABOUT_FILES.spec] ?? '').toString());
    const attempt = aboutOf({ ...good, [ABOUT_FILES.spec]: Buffer.from(spec) });
    await expect(attempt).rejects.toThrow(coded('ISO_LOCK_DAMAGED'));
  });

  it.each([ABOUT_FILES.version, ABOUT_FILES.source, ABOUT_FILES.spec])(
    'is refused when %s is not JSON',
    async (path) => {
      await expect(aboutOf({ ...good, [path]: Buffer.from('{') })).rejects.toThrow(coded('ISO_LOCK_DAMAGED'));
    },
  );

  it('is not looked for in something that is no ISO', async () => {
    const path = join(folder, 'no.iso');
    await writeFile(path, Buffer.alloc(100_000));
    await expect(withIso(path, async () => 0)).rejects.toThrow(coded('ISO_NOT_ISO'));
    await expect(withIso(join(folder, 'absent'), async () => 0)).rejects.toThrow(coded('ISO_NOT_ISO'));
    await expect(withIso(folder, async () => 0)).rejects.toThrow(coded('ISO_NOT_ISO'));
  });
});

describe('build tools that the ISO names', () => {
  const own = join(projectRoot, 'image/image.lock.json');

  it('run when this checkout names them too', async () => {
    await expect(refuseForeignTools(lock, own)).resolves.toBeUndefined();
  });

  it('do not run when it does not, and a changed package of the root is no tool', async () => {
    const changed = (role: 'tools' | 'root'): ImageLock => {
      const one = lock.packages.find(({ roles }) => roles.length === 1 && roles[0] === role);
      const packages = lock.packages.map((each) => (each === one ? { ...each, sha256: 'ab'.repeat(32) } : each));
      return JSON.parse(formatLock({ ...lock, packages })) as ImageLock;
    };
    await expect(refuseForeignTools(changed('tools'), own)).rejects.toThrow(coded('ISO_TOOLS_FOREIGN'));
    await expect(refuseForeignTools(changed('root'), own)).resolves.toBeUndefined();
  });
});
