#!/usr/bin/env node
// The `cpushare` command. The program itself is compiled TypeScript; this file only says what to do when it is not there.
// CommonJS, unlike all else here: Node.js has it running before its loader of modules is ready.
const { existsSync, statSync } = require('node:fs');
const { join } = require('node:path');

const compiled = (name) => join(__dirname, '../dist/js', name);
const [verb, noun, ...rest] = process.argv.slice(2);

if (!existsSync(compiled('src/cli/start.js'))) {
  console.error('cpushare is not compiled yet (dist/js is missing).\nNext step: npm run setup');
  process.exitCode = 2;
} else if (verb !== 'attest' || noun !== 'log' || !runBundledLog()) {
  import('../dist/js/src/cli/start.js');
}

/** `attest log` out of one file (scripts/quick-log-bundle.ts), unless the sources were compiled again since. */
function runBundledLog() {
  const modifiedMs = (name) => statSync(compiled(name), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  if (modifiedMs('attest-log.cjs') < Math.max(1, modifiedMs('tsconfig.tsbuildinfo'))) return false;
  return require(compiled('attest-log.cjs')).runQuickLog(rest);
}
