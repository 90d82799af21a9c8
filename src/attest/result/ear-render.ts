/** A verified attestation result as a person reads it: plain text, 80 columns. */
import type { EarResult, EarSubmodule } from './ear-read.ts';
import { type Tier, tierOf, VECTOR_CLAIMS } from './ear-tiers.ts';
import { type Colour, labelled, type Painter, painter, wrap } from './text-layout.ts';

const TINT: { readonly [tier in Tier]: Colour } = {
  affirming: 'green',
  warning: 'yellow',
  none: 'yellow',
  contraindicated: 'red',
};

const MEANING: { readonly [tier in Tier]: string } = {
  affirming: 'the verifier vouches for it',
  warning: 'genuine, with known weaknesses',
  none: 'the verifier could not say',
  contraindicated: 'do not rely on it',
};

export function renderEar(result: EarResult, options: { readonly colour?: boolean } = {}): string {
  const paint = painter(options.colour === true);
  const expiry = result.expiresAt === null ? 'never says' : result.expiresAt.toISOString();
  return [
    'The signature is good: this is what the verifier said.',
    '',
    ...labelled('Verifier', `${result.verifier.developer}, ${result.verifier.build}`),
    ...labelled('Issued', result.issuedAt.toISOString()),
    ...labelled('Good until', expiry),
    ...result.nonces.flatMap((nonce) => labelled('Nonce', nonce)),
    ...labelled('Profile', result.profile),
    ...(result.carriesEvidence ? labelled('Evidence', 'carried along; not judged here') : []),
    ...Object.entries(result.submodules).flatMap(([name, submodule]) => [
      '',
      ...renderSubmodule(name, submodule, paint),
    ]),
  ].join('\n');
}

function renderSubmodule(name: string, submodule: EarSubmodule, paint: Painter): string[] {
  const { status, vector, verifierClaims } = submodule;
  const reasons = record(verifierClaims.reasons);
  const rows = VECTOR_CLAIMS.flatMap((claim) => {
    const value = vector[claim];
    if (value === undefined) return [];
    const tier = tierOf(value);
    const head = `  ${claim.padEnd(18)}${String(value).padStart(4)}  ${paint(TINT[tier], tier.padEnd(15))} `;
    const hidden = head.length - `  ${claim.padEnd(18)}${String(value).padStart(4)}  ${tier.padEnd(15)} `.length;
    const reason = text(reasons[claim]) ?? '';
    return wrap(reason, head, ' '.repeat(42), 80 + hidden).map((line) => line.trimEnd());
  });
  return [
    ...wrap(`${name}: ${status}, ${MEANING[status]}`, '', '  ').map((line) =>
      line.replace(status, paint(TINT[status], status)),
    ),
    ...facts(submodule).flatMap(([label, fact]) => labelled(label, fact)),
    ...submodule.policyIds.flatMap((id) => labelled('Policy', id)),
    ...(rows.length === 0 ? [] : ['', '  AR4SI claim        value tier            reason', ...rows]),
    ...failures(verifierClaims.checks),
  ];
}

/** A policy may accept what AR4SI warns of, such as a TPM in software: the worst claim decides the status all the same. */
const ACCEPTED_ANYWAY = 'accepted, by a policy that takes what the claims below speak against';

/** What verifiers of ours write; of others, whatever is not there is left out. */
function facts({ verifierClaims: claims, status }: EarSubmodule): (readonly [string, string])[] {
  const warns = status === 'none' || status === 'contraindicated';
  const image = record(claims.image);
  const tpm = record(claims.tpm);
  const given: (readonly [string, string | null])[] = [
    ['Verdict', claims.verdict === 'accepted' && warns ? ACCEPTED_ANYWAY : text(claims.verdict)],
    ['Machine', text(claims.machineId)],
    ['Session key', text(claims.sessionKeySha256)],
    ['Image', text(image.name) === null ? null : `${text(image.name)} ${text(image.version) ?? ''}`],
    ['TPM', text(tpm.class)],
  ];
  return given.flatMap(([label, fact]) => (fact === null ? [] : [[label, fact] as const]));
}

function failures(checks: unknown): string[] {
  if (!Array.isArray(checks)) return [];
  const failed = checks.map(record).filter(({ status }) => status === 'failed');
  return failed.flatMap(({ sentence, code, remedy }) => [
    '',
    ...wrap(`${text(sentence) ?? ''} [${text(code) ?? 'no code'}]`, '  ', '  '),
    ...(text(remedy) === null ? [] : wrap(`Next step: ${text(remedy)}`, '  ', '  ')),
  ]);
}

function record(value: unknown): { readonly [key: string]: unknown } {
  return typeof value === 'object' && value !== null ? (value as { readonly [key: string]: unknown }) : {};
}

const text = (value: unknown): string | null => (typeof value === 'string' ? value.slice(0, 4000) : null);
