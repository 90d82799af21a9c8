#!/usr/bin/env node
// The `cpushare` command. The program itself is compiled TypeScript; this file only says what to do when it is not there.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const program = new URL('../dist/js/src/cli/start.js', import.meta.url);
if (existsSync(fileURLToPath(program))) {
  await import(program.href);
} else {
  console.error('cpushare is not compiled yet (dist/js is missing).\nNext step: npm run setup');
  process.exitCode = 2;
}
