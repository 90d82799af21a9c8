/** The end of the demo: the buyer's own check of the report, and what to do next. */
import { join, relative } from 'node:path';
import { execa } from 'execa';
import { projectRoot } from '../../../scripts/project.ts';
import { BROKER_PORT } from '../../protocol/ports.ts';
import type { Artefacts } from './artefacts.ts';

export interface ReportOptions extends Artefacts {
  readonly trustFile: string;
  readonly referenceValues: string;
  readonly bootSeconds: string;
}

/** Runs `cpushare attest verify` as a buyer would and prints what it says. @returns its exit code */
export async function verifyAsBuyer(options: ReportOptions): Promise<number> {
  const here = (path: string) => relative(process.cwd(), path) || '.';
  const args = [
    ...['attest', 'verify', here(options.reportFile)],
    ...['--reference', here(options.referenceValues)],
    ...['--nonce', options.challenge],
    ...['--trust', here(options.trustFile)],
  ];
  const result = await execa(process.execPath, [join(projectRoot, 'bin/cpushare.js'), ...args], { reject: false });
  console.log(`\n${result.stdout}${result.stderr === '' ? '' : `\n${result.stderr}`}`);
  console.log(`\nTime from power-on to attested: ${options.bootSeconds} s`);
  console.log(
    `Report: ${here(options.reportFile)}   nonce: ${here(options.nonceFile)}   trust: ${here(options.trustFile)}`,
  );
  console.log(`\nCheck it again yourself:\n  npx cpushare ${args.join(' ')}`);
  return result.exitCode ?? 2;
}

export function nextSteps(iso: string): string {
  return `
What next
  Write the stick:  sudo npx cpushare image write /dev/sdX --iso ${relative(process.cwd(), iso)}   (README.md, "Write the stick")
  Run the broker:   npx cpushare broker serve --reference dist/reference-values.json --trust CA.pem --accept-class hardware   (port ${BROKER_PORT})`;
}
