/**
 * The verifier as one static HTML file: usable from disk, served by a broker. Script and style lie inside and are named by
 * hash in the page's own Content-Security-Policy, so nothing else can run in it. The same sources give the same bytes.
 */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { constants, gzipSync } from 'node:zlib';
import type { BuildOptions, Metafile, Plugin } from 'esbuild';
import { CodedError } from '../src/shared/errors.ts';
import { projectRoot } from './project.ts';

export class VerifierPageError extends CodedError<'PAGE_BUILD_FAILED' | 'PAGE_WRITE_FAILED'> {}

export interface VerifierPage {
  readonly html: string;
  /** As `gzip -9` makes it: what a visitor downloads at least. */
  readonly gzipBytes: number;
}

/** About half a second. @throws VerifierPageError PAGE_BUILD_FAILED */
export async function buildVerifierPage(): Promise<VerifierPage> {
  try {
    const folder = join(projectRoot, 'src/page');
    const [{ script, licences }, style, template] = await Promise.all([
      bundleScript(join(folder, 'main.ts')),
      minifiedStyle(join(folder, 'page.css')),
      readFile(join(folder, 'page.html'), 'utf8'),
    ]);
    const parts: Record<string, string> = {
      policy: `<meta http-equiv="Content-Security-Policy" content="${policyFor(script, style)}">`,
      style: `<style>${style}</style>`,
      script: `<script type="module">${script}</script>`,
      licences,
    };
    // One pass: what a part holds is never taken for a place in the template.
    const html = template.replace(/<!--(\w+)-->/g, (_, name: string) => parts[name] ?? '');
    return { html, gzipBytes: gzipSync(html, { level: constants.Z_BEST_COMPRESSION }).length };
  } catch (cause) {
    throw new VerifierPageError('PAGE_BUILD_FAILED', 'the verifier page cannot be built from src/page', {
      cause,
      nextStep: 'npm run setup',
    });
  }
}

/** Builds it and writes `path` whole or not at all. @throws VerifierPageError */
export async function writeVerifierPage(path: string): Promise<VerifierPage> {
  const page = await buildVerifierPage();
  const unfinished = `${path}.${process.pid}.unfinished`;
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(unfinished, page.html);
    await rename(unfinished, path);
  } catch (cause) {
    throw new VerifierPageError('PAGE_WRITE_FAILED', `${path} cannot be written`, {
      cause,
      nextStep: 'check the free space and that you may write there',
    });
  }
  return page;
}

/** Where brokers and tests leave it, for use from disk as well. */
export const builtVerifierPage: string = join(projectRoot, 'dist/verify/index.html');

/** The HTML in `builtVerifierPage`, which is made first when a source is newer. @throws VerifierPageError */
export async function currentVerifierPage(): Promise<string> {
  const built = await stat(builtVerifierPage).catch(() => null);
  if (built !== null && built.mtimeMs > (await newestSourceMs())) return readFile(builtVerifierPage, 'utf8');
  return (await writeVerifierPage(builtVerifierPage)).html;
}

const SOURCES = ['src/page', 'src/protocol', 'src/attest', 'src/shared', 'packages/tpm2-ts/src', 'package-lock.json'];

async function newestSourceMs(): Promise<number> {
  const own = join(projectRoot, 'scripts/verifier-page.ts');
  const lists = await Promise.all(SOURCES.map((source) => filesBelow(join(projectRoot, source))));
  const times = await Promise.all([own, ...lists.flat()].map(async (path) => (await stat(path)).mtimeMs));
  return Math.max(...times);
}

async function filesBelow(path: string): Promise<readonly string[]> {
  if (!(await stat(path)).isDirectory()) return [path];
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

async function bundleScript(entry: string): Promise<{ script: string; licences: string }> {
  const { text, metafile } = await bundle({
    entryPoints: [entry],
    bundle: true,
    platform: 'browser',
    target: 'es2022',
    format: 'esm',
    conditions: ['source'],
    preserveSymlinks: true,
    charset: 'utf8',
    legalComments: 'none',
    plugins: [withoutUnusedTypebox],
  });
  const packages = new Set(Object.keys(metafile.inputs).flatMap(packageOf));
  // In HTML a script ends at "</script", wherever it stands.
  return { script: text.replace(/<\/script/gi, '<\\/script').trim(), licences: await licencesOf(packages) };
}

/** typebox does not say that its modules do nothing when they are loaded, so all of it would stay inside. */
const withoutUnusedTypebox: Plugin = {
  name: 'without unused parts of typebox',
  setup: (build) => {
    const resolved = Symbol('resolved');
    build.onResolve({ filter: /^\.|^typebox/ }, async ({ path, importer, resolveDir, kind, pluginData }) => {
      const wanted = path.startsWith('typebox') || /[\\/]node_modules[\\/]typebox[\\/]/.test(importer);
      if (!wanted || pluginData === resolved) return undefined;
      const result = await build.resolve(path, { importer, resolveDir, kind, pluginData: resolved });
      return { ...result, sideEffects: false };
    });
  },
};

async function minifiedStyle(path: string): Promise<string> {
  return (await bundle({ entryPoints: [path] })).text.trim();
}

async function bundle(options: BuildOptions): Promise<{ text: string; metafile: Metafile }> {
  const { build } = await import('esbuild'); // loaded when a page is made, not with every command
  const { outputFiles, metafile } = await build({
    ...options,
    absWorkingDir: projectRoot,
    write: false,
    outdir: '/',
    minify: true,
    metafile: true,
    logLevel: 'silent',
  });
  return { text: outputFiles[0]?.text ?? '', metafile };
}

/**
 * No source but the page itself. `connect-src` serves the one wish that needs the network, a link that the person named.
 * Trusted Types: no string becomes markup or code.
 */
function policyFor(script: string, style: string): string {
  return [
    "default-src 'none'",
    `script-src '${hashOf(script)}'`,
    `style-src '${hashOf(style)}'`,
    "connect-src 'self' https:",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ');
}

const hashOf = (text: string): string => `sha256-${createHash('sha256').update(text).digest('base64')}`;

/** `node_modules/@noble/curves/nist.js` → `@noble/curves`; our own sources are none. */
function packageOf(input: string): string[] {
  const name = /(?:^|\/)node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*\/node_modules\/)/.exec(input)?.[1];
  return name === undefined || name === 'tpm2-ts' ? [] : [name];
}

/** The licence texts of all that is inside, as their terms ask. */
async function licencesOf(packages: ReadonlySet<string>): Promise<string> {
  const texts = await Promise.all(
    [...packages].sort().map(async (name) => {
      const folder = join(projectRoot, 'node_modules', name);
      const manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as Record<string, unknown>;
      const text = await readLicence(folder);
      return `${name} ${String(manifest.version)} (${String(manifest.license)})\n\n${text.trim()}`;
    }),
  );
  return escapeHtml(texts.join('\n\n\n'));
}

async function readLicence(folder: string): Promise<string> {
  for (const name of ['LICENSE', 'LICENSE.md', 'LICENSE.txt', 'license', 'License']) {
    const text = await readFile(join(folder, name), 'utf8').catch(() => null);
    if (text !== null) return text;
  }
  throw new Error(`there is no licence text in ${folder}`);
}

const escapeHtml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
