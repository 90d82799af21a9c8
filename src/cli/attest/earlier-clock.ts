/** `attest verify --after`: the clock of an earlier report of the same machine, taken as the last one known. */
import { appraise } from '../../attest/appraise.ts';
import { nodeAttestCrypto } from '../../attest/crypto/crypto-node.ts';
import type { Request, Standing } from '../../attest/expected.ts';
import type { QuoteClock } from '../../attest/quote/quote-clock.ts';
import { type Report, roleIn } from '../../protocol/report-document.ts';
import { equalBytes } from '../../shared/bytes.ts';
import { AttestCommandError } from './files.ts';

/**
 * Only of a quote that is proven: signed by an AK that the same broker activated in the same TPM. Whether that report was
 * accepted, and whose challenge it answered, does not matter: no TPM signs a clock that it has not reached.
 * @throws AttestCommandError EARLIER_REPORT_OTHER_MACHINE | EARLIER_REPORT_UNPROVEN
 */
export function earlierClock(
  earlier: Report,
  { report, standing, request }: { readonly report: Report; readonly standing: Standing; readonly request: Request },
): QuoteClock {
  if (!equalBytes(earlier.evidence.ekPublic, report.evidence.ekPublic)) {
    throw new AttestCommandError(
      'EARLIER_REPORT_OTHER_MACHINE',
      `the earlier report is of machine ${earlier.machineId}, this one of machine ${report.machineId}`,
      { nextStep: 'name an earlier report of the same machine with --after, or leave it out' },
    );
  }
  const { checks, clock } = appraise(
    earlier.evidence,
    {
      ...standing,
      challenge: earlier.challenge,
      brokerId: request.brokerId,
      role: roleIn(earlier),
      activation: { kind: 'transcript', transcript: earlier.activation },
      time: request.time,
    },
    nodeAttestCrypto,
  );
  if (clock !== null) return clock;
  const failed = checks.find(({ status }) => status === 'failed');
  throw new AttestCommandError(
    'EARLIER_REPORT_UNPROVEN',
    `the earlier report proves no clock: ${failed?.sentence ?? 'its quote was not judged'} [${failed?.code ?? 'none'}]`,
    { nextStep: 'name one that attest verify accepts, of the same broker, or leave --after out' },
  );
}
