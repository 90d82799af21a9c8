/** One line per quoted register: its value and why it is believed, or that it is not. */
import { toHex } from '../../shared/bytes.ts';
import { isInitial } from '../boot/boot-log.ts';
import { CONFIGURATION_PCR } from '../evidence.ts';
import type { Findings } from '../findings.ts';
import { IMA_PCR } from '../image/ima-log.ts';
import type { Check, PcrVerdict } from '../verdict.ts';

type Judgement = Pick<PcrVerdict, 'basis' | 'sentence'>;
const EXPLAINED: { readonly [index: number]: string } = {
  0: 'Firmware code: recorded in the log, not compared.',
  1: 'Firmware configuration: recorded in the log, not compared.',
  2: 'Option ROMs and drivers of cards: recorded in the log, not compared.',
  3: 'Their configuration: recorded in the log, not compared.',
  5: 'Boot manager and partition table: recorded in the log, not compared.',
  6: "The maker's own events: recorded in the log, not compared.",
};
const OWN: { readonly [index: number]: string } = {
  4: 'shim, GRUB and kernel',
  8: 'GRUB commands and kernel command line',
  9: 'grub.cfg, kernel, initrd and load options',
  14: 'Machine owner keys of shim',
};

/** Empty while the values are not proven by the quote. */
export function pcrVerdicts(findings: Findings, checks: readonly Check[]): readonly PcrVerdict[] {
  const { pcrs } = findings;
  if (pcrs === null) return [];
  const passed = (name: string): boolean => checks.some((check) => check.name === name && check.status === 'passed');
  return [...pcrs].map(([index, value]) => ({
    index,
    bank: 'sha256',
    value: toHex(value),
    ...judgement(index, isInitial(index, pcrs), findings, passed),
  }));
}

function judgement(index: number, initial: boolean, findings: Findings, passed: (check: string) => boolean): Judgement {
  if (initial) return { basis: 'initial', sentence: 'Never extended since power-on.' };
  const unexplained: Judgement = { basis: 'unexplained', sentence: 'No proven record says how this value came about.' };
  if (index === IMA_PCR) {
    if (!passed('ima-log')) return unexplained;
    if (passed('kernel-modules')) return { basis: 'rule', sentence: 'Kernel modules, all from the image.' };
    return { basis: 'differs', sentence: 'A kernel module that is not from the image.' };
  }
  if (index === CONFIGURATION_PCR) {
    return passed('configuration') ? { basis: 'rule', sentence: "The seller's configuration." } : unexplained;
  }
  if (findings.events === null) return unexplained;
  const own = OWN[index];
  if (own !== undefined) {
    const difference = findings.differences.find((each) => each.pcr === index);
    if (difference === undefined) return { basis: 'reference', sentence: `${own}: as in the reference values.` };
    return { basis: 'differs', sentence: `${own}: ${difference.component} ${difference.kind}.` };
  }
  if (index === 7) {
    if (passed('secure-boot')) return { basis: 'rule', sentence: 'Secure Boot on, its keys and authorities recorded.' };
    return { basis: 'differs', sentence: 'Secure Boot is off or cannot be proven.' };
  }
  if (findings.differences.some((each) => each.pcr === index)) {
    return { basis: 'differs', sentence: 'Something was measured here that is no part of the image.' };
  }
  return { basis: 'explained', sentence: EXPLAINED[index] ?? 'Explained by the log, not compared.' };
}
