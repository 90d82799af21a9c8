#!/usr/bin/env node
// The `cpushare` command. The program itself is compiled TypeScript; this file only says what to do when it is not there.
import { existsSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const compiled = (name) => fileURLToPath(new URL(`../dist/js/${name}`, import.meta.url));
const [verb, noun, ...rest] = process.argv.slice(2);

if (!existsSync(compiled('src/cli/start.js'))) {
  console.error('cpushare is not compiled yet (dist/js is missing).\nNext step: npm run setup');
  process.exitCode = 2;
} else if (verb !== 'attest' || noun !== 'log' || !runBundledLog()) {
  await import(new URL('../dist/js/src/cli/start.js', import.meta.url).href);
}

/** `attest log` out of one file (scripts/quick-log-bundle.ts), unless the sources were compiled again since. */
function runBundledLog() {
  const modifiedMs = (name) => statSync(compiled(name), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  if (modifiedMs('attest-log.cjs') < Math.max(1, modifiedMs('tsconfig.tsbuildinfo'))) return false;
  return createRequire(import.meta.url)(compiled('attest-log.cjs')).runQuickLog(rest);
}
