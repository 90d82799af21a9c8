/** The files a buyer would hold: the report and the challenge it answers. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ReportDocument } from '../../protocol/messages.ts';

export interface Artefacts {
  readonly reportFile: string;
  /** Holds the hex challenge and a newline. */
  readonly nonceFile: string;
  readonly challenge: string;
}

export async function fromBrokerReport(folder: string, report: ReportDocument): Promise<Artefacts> {
  const reportFile = join(folder, 'report.json');
  const nonceFile = join(folder, 'nonce');
  await writeFile(reportFile, `${JSON.stringify(report, null, 2)}\n`);
  await writeFile(nonceFile, `${report.challenge}\n`);
  return { reportFile, nonceFile, challenge: report.challenge };
}
