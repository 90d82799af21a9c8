/**
 * Finds the stable codes in the text of the sources. Text and not imports: a code counts where it is written, also in the
 * scripts of the image. Comment lines are left out, so that an example in a comment is not a code.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const CODE = /'([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*)'/g;
const NOT_OURS = /(^|\/)(node_modules|dist|testing)\/|\.test\.ts$|\.d\.ts$/;

/** Every code of the project. @throws Error when a CodedError's type argument cannot be followed to its codes */
export function codesOfProject(root: string): Set<string> {
  const typeScript = filesBelow(root, ['src', 'scripts', 'packages'], /\.ts$/);
  const scripts = [...filesBelow(root, ['image'], /(?<!\.json)$/), ...filesBelow(root, ['scripts'], /\.sh$/)];
  return new Set([...codesOfTypeScript(typeScript.join('\n')), ...scripts.flatMap(codesOfScript)]);
}

export function codesOfTypeScript(source: string): string[] {
  const text = withoutCommentLines(source, /^\s*(\/\/|\/\*|\*)/);
  return [
    ...matches(text, /\bextends CodedError<([^{>]+)>/g).flatMap((argument) => codesOfType(argument, text)),
    // Closed sets, whether or not an error class uses them: `RefusalCode`, `StartErrorCode` …
    ...matches(text, /\btype \w*Code\s*=([^;]+);/g).flatMap((type) => codesOfType(type, text)),
    // Failures, problems and errors without a CodedError below them, as in the TPM package.
    ...matches(text, /\bcode(?:\??:|\s*=(?!=))(.*)/g).flatMap(literals),
    ...matches(text, /\b(?:problem|new \w+Error)\(\s*('[^']*')/g).flatMap(literals),
    ...matches(text, /\berror=([A-Z][A-Z0-9_]+)/g),
  ];
}

/** `fail CODE …` and `error=CODE` of shell scripts, `[CODE]` of GRUB's text. */
export function codesOfScript(source: string): string[] {
  const text = withoutCommentLines(source, /^\s*#/);
  return matches(text, /(?:\bfail |\berror=|\[)([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)\b/g);
}

/** A union of literals, a `keyof typeof` table, or the name of either. */
function codesOfType(type: string, text: string): string[] {
  const found = literals(type);
  if (found.length > 0) return found;
  const name = type.trim();
  const table = /^keyof typeof (\w+)$/.exec(name)?.[1];
  if (table !== undefined) {
    const body = new RegExp(`\\bconst ${table}\\b[^{]*\\{([^}]*)\\}`).exec(text)?.[1] ?? '';
    const keys = matches(body, /^\s*([A-Z][A-Z0-9_]*):/gm);
    if (keys.length > 0) return keys;
  }
  const alias = /^\w+$/.test(name) ? new RegExp(`\\btype ${name}\\s*=([^;]+);`).exec(text)?.[1] : undefined;
  if (alias === undefined) throw new Error(`these error codes cannot be found in the sources: ${name}`);
  return codesOfType(alias, text);
}

const literals = (text: string): string[] => matches(text, CODE);
const matches = (text: string, pattern: RegExp): string[] => [...text.matchAll(pattern)].map((match) => match[1] ?? '');

function withoutCommentLines(text: string, comment: RegExp): string {
  return text
    .split('\n')
    .filter((line) => !comment.test(line))
    .join('\n');
}

function filesBelow(root: string, folders: readonly string[], wanted: RegExp): string[] {
  return folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((path) => wanted.test(path) && !NOT_OURS.test(path.slice(root.length)))
      .map((path) => readFileSync(path, 'utf8')),
  );
}
