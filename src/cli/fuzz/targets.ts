/** Everything that reads what somebody else wrote. */
import type { Target } from './target.ts';
import { appraisalTargets } from './targets-appraisal.ts';
import { configurationTargets } from './targets-configuration.ts';
import { cryptoTargets } from './targets-crypto.ts';
import { documentTargets } from './targets-documents.ts';
import { explainTargets } from './targets-explain.ts';
import { imageTargets } from './targets-image.ts';
import { isoTargets } from './targets-iso.ts';
import { logTargets } from './targets-logs.ts';
import { networkTargets } from './targets-network.ts';
import { packageTargets } from './targets-packages.ts';
import { tpmTargets } from './targets-tpm.ts';
import { volumeTargets } from './targets-volumes.ts';

export function allTargets(): readonly Target[] {
  return [
    ...logTargets(),
    ...tpmTargets(),
    ...documentTargets(),
    ...cryptoTargets(),
    ...appraisalTargets(),
    ...explainTargets(),
    ...configurationTargets(),
    ...imageTargets(),
    ...isoTargets(),
    ...volumeTargets(),
    ...networkTargets(),
    ...packageTargets(),
  ];
}
