/** Valid inputs to start from: our own recordings (test/fixtures) and, beside the checkout, real vectors where present. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../../../scripts/project.ts';
import { parseReport, type Report } from '../../protocol/report-document.ts';
import { readPem } from '../../shared/pem.ts';

const FIXTURES = join(projectRoot, 'test/fixtures');
const VECTORS = join(projectRoot, '../shared/vectors');
/** Larger seeds make slow mutations and find no more. */
const MAX_SEED_BYTES = 40_000;
const MAX_PER_KIND = 60;

export interface Recording {
  readonly report: Report;
  readonly reportJson: Uint8Array;
  readonly referenceJson: Uint8Array;
  readonly anchors: readonly Uint8Array[];
  readonly challengeHex: string;
}

export function recording(name: 'p256' | 'rsa2048'): Recording {
  const read = (file: string): Uint8Array => new Uint8Array(readFileSync(join(FIXTURES, name, file)));
  const text = (file: string): string => readFileSync(join(FIXTURES, name, file), 'utf8');
  return {
    report: parseReport(text('report.json')),
    reportJson: read('report.json'),
    referenceJson: read('reference-values.json'),
    anchors: readPem(text('trust.pem'), 'CERTIFICATE'),
    challengeHex: text('nonce').trim(),
  };
}

/** Files below both folders whose path ends so. Vectors are absent in most checkouts. */
export function filesEnding(...endings: readonly string[]): readonly Uint8Array[] {
  return [FIXTURES, VECTORS]
    .filter((folder) => existsSync(folder))
    .flatMap((folder) =>
      readdirSync(folder, { recursive: true, encoding: 'utf8' })
        .sort()
        .filter((path) => endings.some((ending) => path.endsWith(ending)))
        .map((path) => new Uint8Array(readFileSync(join(folder, path)))),
    )
    .filter((bytes) => bytes.length <= MAX_SEED_BYTES)
    .slice(0, MAX_PER_KIND);
}
