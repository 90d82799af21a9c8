/** What the verdict says of the machine, and what the report is headed with. */
import { describeClock } from '../../attest/quote/quote-clock.ts';
import { configurationWords } from '../../attest/result/claim-words.ts';
import { weaknessOf } from '../../attest/result/limits.ts';
import type { FirmwareVerdict, KeyVerdict, Verdict } from '../../attest/verdict.ts';
import { el } from '../dom.ts';
import type { ReportFacts } from '../judge.ts';

type Row = readonly [term: string, ...lines: string[]];

export function factList(verdict: Verdict, facts: ReportFacts): HTMLElement {
  const { image, banks, workarounds } = verdict;
  const rows: readonly Row[] = [
    ['Image', image === null ? 'none that is known' : `${image.name} ${image.version}`],
    tpmRow(verdict),
    ...(verdict.firmware === null ? [] : [secureBootRow(verdict.firmware)]),
    ...(banks.length === 0 ? [] : [['Banks', ...banks.map(({ bank, sentence }) => `${bank}: ${sentence}`)] as const]),
    ...(workarounds.length === 0 ? [] : [['Overlooked', ...workarounds.map(({ sentence }) => sentence)] as const]),
    ['Machine', facts.machineId],
    ['Broker', facts.brokerId, ...(facts.brokerSource === 'report' ? ['As the report itself says.'] : [])],
    ['Received', facts.receivedAt, ...(facts.askedBy === 'buyer' ? ['Asked by a buyer, through the broker.'] : [])],
    ...(verdict.clock === null ? [] : [['TPM resets', describeClock(verdict.clock)] as const]),
    ...claimsRows(verdict),
  ];
  return el(
    'dl',
    {},
    ...rows.flatMap(([term, ...lines]) => [
      el('dt', {}, term),
      el('dd', {}, ...lines.map((line) => el('p', {}, line))),
    ]),
  );
}

function tpmRow({ tpm }: Verdict): Row {
  const model = tpm.model === null ? '' : `, ${tpm.model} (${tpm.manufacturer ?? 'no vendor'})`;
  return ['TPM', `class ${tpm.class}${model}`, `${tpm.evidence}.`, weaknessOf(tpm.class)];
}

function secureBootRow({ secureBoot, unknowns }: FirmwareVerdict): Row {
  const { state, platformKeys, keyExchangeKeys, db, dbx, authorities } = secureBoot;
  const release = dbx.release === null ? '' : `, as new as the list of ${dbx.release}`;
  return [
    'Secure Boot',
    state,
    `Started software was verified by: ${names(authorities)}.`,
    `Trusted by the firmware: ${names(db)}. Who may change that: ${names([...platformKeys, ...keyExchangeKeys])}.`,
    `Revoked: ${dbx.hashes} hashes and ${dbx.certificates} certificates${release}.`,
    ...unknowns,
  ];
}

/** A certificate is what its hash is; what it calls itself is not said. */
function names(keys: readonly KeyVerdict[]): string {
  if (keys.length === 0) return 'nobody';
  return [...new Set(keys.map(({ name, sha256 }) => name ?? `unknown certificate ${sha256.slice(0, 16)}`))].join(', ');
}

function claimsRows({ claims, status }: Verdict): readonly Row[] {
  if (claims === null) return [];
  const memory = `${Math.round(claims.memoryBytes / 2 ** 20)} MiB`;
  const uptime = `up for ${(claims.uptimeMs / 1000).toFixed(1)} s`;
  return [
    [
      'Its claims',
      `${claims.cpuModel}, ${memory}, ${claims.bootMode} boot, ${uptime}`,
      `accelerator ${claims.accelerator.name}: ${claims.accelerator.reason}`,
      ...configurationWords(claims),
      ...(status === 'refused' ? ['Said by an image that is not attested: worth nothing.'] : []),
    ],
  ];
}
