#!/usr/bin/env bash
# Everything, in the order in which a failure is cheapest: format and lint, types (and the layer rule among the unit
# tests), unit, integration, then the boots of the real ISO. Stops at the first stage that fails; counts what ran.
set -uo pipefail
cd "$(dirname "$0")/.."
results=dist/test-results
rm -rf "$results" && mkdir -p "$results"
export PATH="$PWD/node_modules/.bin:$PATH"
status=0

stage() { # title, command…
  local title=$1
  shift
  ((status == 0)) || return 0
  printf '\n== %s\n' "$title"
  "$@" || { status=$?; printf '\nFailed: %s\n' "$title" >&2; }
}
tests() { vitest run --project "$1" --reporter=default --reporter=json --outputFile.json="$results/$1.json"; }

stage 'format and lint' biome check --error-on-warnings .
stage 'types' tsc -b
stage 'unit tests' tests unit
stage 'integration tests' tests integration
stage 'the seller image' node bin/cpushare.js image build
stage 'end-to-end boots' tests e2e

node - "$results" "$status" <<'JS'
const { readdirSync, readFileSync } = require('node:fs');
const folder = process.argv[2];
const sum = { passed: 0, failed: 0, skipped: 0 };
for (const file of readdirSync(folder).filter((name) => name.endsWith('.json'))) {
  const report = JSON.parse(readFileSync(`${folder}/${file}`, 'utf8'));
  sum.passed += report.numPassedTests;
  sum.failed += report.numFailedTests;
  sum.skipped += report.numPendingTests + (report.numTodoTests ?? 0);
}
// A stage that failed before or beside its tests counts as one failure.
if (process.argv[3] !== '0' && sum.failed === 0) sum.failed = 1;
console.log(`\n${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped`);
JS
exit "$status"
