/** The whole recipe twice, in different folders: needs Debian packages, from the cache or the host's own mirror. */
import { copyFile, cp, mkdir, mkdtemp, readFile, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chooseMirrors } from './apt/mirrors.ts';
import { type BuildOptions, buildImage } from './build.ts';
import { cacheFolder } from './cache-folder.ts';
import { sha256OfFile } from './fetch.ts';
import { ABOUT_FILES } from './medium-files.ts';
import { projectRoot } from './project.ts';
import { readAbout } from './verify/about.ts';
import { withIso } from './verify/iso-parts.ts';

let scratch: string;
/** A snapshot, so that work going on in the real one cannot fall between two builds. */
let checkout: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'build-test-'));
  checkout = join(scratch, 'checkout');
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

const options = (root: string, output: string): BuildOptions & { told: string[] } => {
  const told: string[] = [];
  return {
    projectRoot: root,
    outputFolder: output,
    cacheFolder: cacheFolder(),
    mirrors: () => chooseMirrors({}),
    progress: (line) => told.push(line),
    told,
  };
};

/** A PATH on which nothing else can be found. */
async function onlyNode(): Promise<string> {
  const folder = join(scratch, 'only-node');
  await mkdir(folder);
  await symlink(process.execPath, join(folder, 'node'));
  return folder;
}

/** The same checkout elsewhere, with other time stamps. */
async function copyCheckout(to: string, from = projectRoot): Promise<string> {
  for (const part of ['image', 'src', 'packages', 'package.json', 'tsconfig.json', 'tsconfig.base.json']) {
    await cp(join(from, part), join(to, part), {
      recursive: true,
      filter: (path) => !/\/(node_modules|dist)(\/|$)/.test(path.slice(from.length)),
    });
  }
  await symlink(join(projectRoot, 'node_modules'), join(to, 'node_modules'));
  await utimes(join(to, 'image/rootfs/etc/hosts'), 1_000_000_000, 1_000_000_000);
  await copyFile(join(projectRoot, 'package-lock.json'), join(to, 'package-lock.json'));
  return to;
}

describe('buildImage', () => {
  it('gives the same bytes in another folder, with other time stamps, time zone and umask, and no program but node', async () => {
    const first = await buildImage(options(await copyCheckout(checkout), join(scratch, 'one')));
    const kept = { zone: process.env.TZ, path: process.env.PATH, umask: process.umask(0o077) };
    process.env.TZ = 'Pacific/Kiritimati';
    process.env.PATH = await onlyNode();
    try {
      const other = await copyCheckout(join(scratch, 'some where else'), checkout);
      const second = await buildImage(options(other, join(other, 'out put')));
      for (const part of ['iso', 'referenceValues', 'sbom', 'provenance'] as const) {
        expect(await sha256OfFile(second[part]), part).toBe(await sha256OfFile(first[part]));
      }
    } finally {
      process.umask(kept.umask);
      process.env.PATH = kept.path;
      if (kept.zone === undefined) delete process.env.TZ;
      else process.env.TZ = kept.zone;
    }
  }, 600_000);

  it('does nothing again that is done', async () => {
    const again = options(checkout, join(scratch, 'one'));
    const before = await sha256OfFile(join(scratch, 'one/cpushare-seller.iso'));
    const built = await buildImage({ ...again, mirrors: () => Promise.reject(new Error('a mirror was asked for')) });
    expect(again.told.filter((line) => !line.startsWith('Packages fetched'))).toEqual([]);
    expect(await sha256OfFile(built.iso)).toBe(before);
  }, 60_000);

  it('carries on the medium what it was built from, and its papers name what was published', async () => {
    const iso = join(scratch, 'one/cpushare-seller.iso');
    const sbom = join(scratch, 'one/cpushare-seller.cdx.json');
    const { lockText, source, onMedium } = await withIso(iso, async (open) => {
      const extent = open.files.get(ABOUT_FILES.sbom);
      return { ...readAbout(open), onMedium: extent && open.readAt(extent).toString('utf8') };
    });
    expect(onMedium).toBe(await readFile(sbom, 'utf8'));
    expect(lockText).toBe(await readFile(join(checkout, 'image/image.lock.json'), 'utf8'));
    const hosts = await sha256OfFile(join(checkout, 'image/rootfs/etc/hosts'));
    expect(source.files['image/rootfs/etc/hosts']).toBe(hosts);
    expect(Object.keys(source.files)).toEqual(expect.arrayContaining(['scripts/build.ts', 'src/sell-client/main.ts']));
    const statement = JSON.parse(await readFile(join(scratch, 'one/cpushare-seller.provenance.json'), 'utf8')) as {
      subject: unknown;
    };
    const names = ['cpushare-seller.iso', 'cpushare-seller.cdx.json', 'reference-values.json'];
    const subject = await Promise.all(
      names.map(async (name) => ({ name, digest: { sha256: await sha256OfFile(join(scratch, 'one', name)) } })),
    );
    expect(statement.subject).toEqual(subject);
  });

  it('stays within its budget and says what weighs how much', async () => {
    const sizes = JSON.parse(await readFile(join(scratch, 'one/sizes.json'), 'utf8')) as {
      name: string;
      bytes: number;
    }[];
    const iso = sizes.find((one) => one.name === 'iso')?.bytes ?? 0;
    expect(iso).toBe((await stat(join(scratch, 'one/cpushare-seller.iso'))).size);
    expect(iso).toBeLessThanOrEqual(64 * 2 ** 20);
  });

  it('refuses a stale lock before it does anything', async () => {
    const other = await copyCheckout(join(scratch, 'stale'));
    const path = join(other, 'image/image.json');
    await writeFile(path, (await readFile(path, 'utf8')).replace('"panic=10"', '"panic=11"'));
    const output = join(scratch, 'stale-output');
    await expect(buildImage(options(other, output))).rejects.toMatchObject({
      code: 'LOCK_STALE',
      nextStep: 'npx cpushare image lock',
    });
    await expect(stat(output)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
