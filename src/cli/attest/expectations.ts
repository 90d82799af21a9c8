/** What the reader of a report expects of it, out of the command line: shared by the verbs that judge. */
import type { Argv } from 'yargs';
import { nodeAttestCrypto } from '../../attest/crypto/crypto-node.ts';
import { parseCertificate } from '../../attest/endorsement/certificate.ts';
import type { TpmClass } from '../../attest/evidence.ts';
import type { Standing } from '../../attest/expected.ts';
import type { ReferenceValues } from '../../attest/image/reference-values.ts';
import type { ReferenceTrust } from '../../attest/image/signed-reference-values.ts';
import { policyAccepting } from '../../attest/policy/policies.ts';
import { TPM_CLASSES } from '../../attest/policy/policy.ts';
import type { Report } from '../../protocol/report-document.ts';
import { statedCertificates, statedReferenceValues } from '../../protocol/report-judgement.ts';
import { AttestCommandError, readDerFiles } from './files.ts';
import { readPolicy } from './policy-file.ts';
import { readReferenceFile, readReferenceTrust } from './reference-key.ts';
import { readEkCertificates } from './trust-files.ts';
import { loadTrustStore } from './trust-store.ts';

export interface StandingArguments {
  reference: string[];
  'reference-key': string[];
  trust: string[];
  'trust-store': string | undefined;
  crl: string[];
  'ek-certificate': string[];
  policy: string | undefined;
  'accept-class': TpmClass[] | undefined;
  'allow-debug': boolean;
}

/** The anchors are named by whoever judges, so naming a maker of software TPMs is how those are accepted; the verdict says what they are worth. */
const VOUCHED_CLASSES: TpmClass[] = ['hardware', 'firmware', 'cloud', 'software'];
const files = { type: 'string', array: true, requiresArg: true } as const;

export function standingOptions<T>(yargs: Argv<T>, { referenceRequired = true } = {}): Argv<T & StandingArguments> {
  return yargs
    .option('reference', {
      ...files,
      ...(referenceRequired ? { demandOption: true } : { default: [] as string[] }),
      describe: 'reference values of an image to accept, a file or the id of some in the report; repeat for more',
    })
    .option('reference-key', {
      ...files,
      default: [] as string[],
      describe: 'public key (PEM, P-256) that must have signed the reference values; repeat for more',
    })
    .option('trust', {
      ...files,
      default: [] as string[],
      describe: 'certificate authorities of TPMs to trust (PEM or DER); repeat for more. None: every TPM is "unknown"',
    })
    .option('trust-store', {
      type: 'string',
      requiresArg: true,
      describe:
        'folder of a trust store, as "attest trust import" fills it: authorities, lists and what they stand for',
    })
    .option('crl', { ...files, default: [] as string[], describe: 'revocation list of such an authority (PEM or DER)' })
    .option('ek-certificate', {
      ...files,
      default: [] as string[],
      describe: "certificate for a TPM that holds none, or an authority's in between; judged like the TPM's own",
    })
    .option('policy', { type: 'string', requiresArg: true, describe: 'policy file: what to accept, field by field' })
    .option('accept-class', {
      alias: 'allow-class',
      choices: TPM_CLASSES,
      array: true,
      requiresArg: true,
      defaultDescription: 'all but unknown: whatever an authority named by --trust vouches for',
      describe: 'TPM class to accept, in place of a policy file; repeat for more',
    })
    .option('allow-debug', {
      type: 'boolean',
      default: false,
      describe: 'accept images for developers, which have a shell: only for machines of your own',
    }) as unknown as Argv<T & StandingArguments>;
}

/** @throws AttestCommandError and what the readers of each file throw */
export async function readStanding(args: StandingArguments, report?: Report): Promise<Standing> {
  const signers = await readReferenceTrust(args['reference-key']);
  const [first, ...others] = await Promise.all(args.reference.map((named) => readReference(named, signers, report)));
  if (first === undefined) {
    throw new AttestCommandError('REFERENCE_MISSING', 'no reference values were named', {
      nextStep: 'name them: --reference reference-values.json',
    });
  }
  const policy = (await readPolicy(args.policy, args['accept-class'])) ?? policyAccepting(VOUCHED_CLASSES);
  const store = args['trust-store'] === undefined ? null : await loadTrustStore(args['trust-store']);
  return {
    referenceValues: [first, ...others],
    trustAnchors: [
      ...(await readDerFiles(args.trust, 'CERTIFICATE', parseCertificate)),
      ...(store?.trustAnchors ?? []),
    ],
    anchorClasses: store?.anchorClasses ?? {},
    extraCertificates: [
      ...(await readEkCertificates(args['ek-certificate'])),
      ...(store?.extraCertificates ?? []),
      ...(report === undefined ? [] : statedCertificates(report)),
    ],
    revocationLists: [...(await readDerFiles(args.crl, 'X509 CRL')), ...(store?.revocationLists ?? [])],
    policy: args['allow-debug'] ? { ...policy, debugImages: 'accept' } : policy,
  };
}

/** A file; or the id of values that the report carries along, which then are what the caller named, whoever put them there. */
async function readReference(
  named: string,
  signers: ReferenceTrust,
  report: Report | undefined,
): Promise<ReferenceValues> {
  if (!/^[0-9a-f]{64}$/.test(named)) return readReferenceFile(named, signers);
  if (signers !== 'unsigned') {
    throw new AttestCommandError('REFERENCE_NOT_IN_REPORT', 'a report carries no signed reference values', {
      nextStep: 'name the signed file of the release: --reference release.json',
    });
  }
  const values = report === undefined ? null : statedReferenceValues(report, named, nodeAttestCrypto);
  if (values !== null) return values;
  throw new AttestCommandError(
    'REFERENCE_NOT_IN_REPORT',
    `the report carries no reference values with the id ${named}`,
    {
      nextStep: 'name a file with them: --reference reference-values.json',
    },
  );
}
