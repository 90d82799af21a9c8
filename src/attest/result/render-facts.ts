/** What a verdict knows, as labelled lines: the TPM and what speaks against it, image, firmware, oddities, claims. */

import { quirkSentence } from '../endorsement/ek-quirks.ts';
import { describeClock } from '../quote/quote-clock.ts';
import type { KeyVerdict, Verdict } from '../verdict.ts';
import { configurationWords } from './claim-words.ts';
import { earStatus } from './ear.ts';
import { tierOf } from './ear-tiers.ts';
import { appraisedVector } from './ear-vector.ts';

/** An empty label continues the one before. */
export type Fact = readonly [label: string, text: string];

export function factsOf(verdict: Verdict, given: readonly Fact[]): readonly Fact[] {
  const { image, checks } = verdict;
  const passed = checks.filter((check) => check.status === 'passed').length;
  return [
    ...given,
    ['Image', image === null ? 'none that is known' : `${image.name} ${image.version}`],
    ...tpmFacts(verdict),
    ...firmwareFacts(verdict),
    ...bankFacts(verdict),
    ...listed(
      'Workarounds',
      verdict.workarounds.map(({ name, event, sentence }) => `${sentence} [${name}, event ${event}]`),
    ),
    ...(verdict.clock === null ? [] : [['TPM resets', describeClock(verdict.clock)] as const]),
    ...claimFacts(verdict),
    ...earFacts(verdict),
    ['Checks', `${passed} of ${checks.length} passed`],
  ];
}

function tpmFacts({ tpm }: Verdict): Fact[] {
  const model = tpm.model === null ? '' : `, ${tpm.model} (${tpm.manufacturer ?? 'no vendor'})`;
  return [
    ['TPM', `${tpm.class}${model}`],
    ['', tpm.evidence],
    ...(tpm.anchor === null
      ? []
      : ([
          ['Authority', tpm.anchor.subject],
          ['', tpm.anchor.fingerprint],
        ] as const)),
    ...listed('Irregular', tpm.quirks.map(quirkSentence)),
    ...listed(
      'Weaknesses',
      tpm.weaknesses.map(({ sentence, link }) => `${sentence} (${link})`),
    ),
  ];
}

const SECURE_BOOT = { on: 'on', off: 'off', 'setup-mode': 'in setup mode', unproven: 'not proven' } as const;

function firmwareFacts({ firmware, checks }: Verdict): Fact[] {
  if (firmware === null) {
    const status = checks.find(({ name }) => name === 'secure-boot')?.status ?? 'not-reached';
    const text = { passed: 'on', failed: 'off or not proven', 'not-reached': 'not judged' }[status];
    return [['Secure Boot', text]];
  }
  const { state, db, dbx, authorities } = firmware.secureBoot;
  const release = dbx.release === null ? '' : `, as of ${dbx.release} or later`;
  return [
    ['Secure Boot', SECURE_BOOT[state]],
    ...(db.length === 0 ? [] : ([['', `db: ${names(db)}`]] as const)),
    ['', `dbx: ${dbx.hashes} hashes, ${dbx.certificates} certificates${release}`],
    ...(authorities.length === 0 ? [] : ([['', `verified by: ${names(authorities)}`]] as const)),
    ...listed('Unknown', firmware.unknowns),
  ];
}

/** One bank that is signed and judged is what everybody expects: no word about it. */
function bankFacts({ banks }: Verdict): Fact[] {
  if (banks.every(({ bank, status }) => bank === 'sha256' && status === 'quoted')) return [];
  return listed(
    'Banks',
    banks.map(({ bank, sentence }) => `${bank}: ${sentence}`),
  );
}

function claimFacts({ claims, status }: Verdict): Fact[] {
  if (claims === null) return [];
  return [
    ['Accelerator', `${claims.accelerator.name} (${claims.accelerator.reason})`],
    ['Claims', `client ${claims.clientVersion}, ${claims.cpuModel}, ${Math.round(claims.memoryBytes / 2 ** 20)} MiB,`],
    ['', `${claims.bootMode} boot, up for ${(claims.uptimeMs / 1000).toFixed(1)} s`],
    ...configurationWords(claims).map((words): Fact => ['', words]),
    ...(status === 'refused' ? ([['', 'said by an image that is not attested: worth nothing']] as const) : []),
  ];
}

/** The word that others will read, and what holds it down. */
function earFacts(verdict: Verdict): Fact[] {
  const status = earStatus(verdict);
  const against = Object.entries(appraisedVector(verdict)).filter(([, { value }]) => tierOf(value) === status);
  return [
    [
      'EAR status',
      status === 'affirming' || verdict.status === 'refused'
        ? status
        : `${status}, to whoever does not share this policy:`,
    ],
    ...(status === 'affirming' || verdict.status === 'refused'
      ? []
      : against.map(([claim, { reason }]): Fact => ['', `${claim}: ${reason}`])),
  ];
}

function listed(label: string, texts: readonly string[]): Fact[] {
  return texts.map((text, index) => [index === 0 ? label : '', text]);
}

const names = (keys: readonly KeyVerdict[]): string =>
  keys.map(({ name, sha256 }) => name ?? `unknown key ${sha256.slice(0, 16)}…`).join(', ');
