/**
 * The verdict as two chains of links: what started what on the machine, and who vouches for what in the TPM. A link is
 * good only where all that speaks for it passed; what was not reached or cannot be told apart stays open.
 */
import type { Check, Verdict } from '../attest/verdict.ts';

export interface Link {
  readonly id: LinkId;
  readonly title: string;
  /** What it is, for a reader who does not know the word. */
  readonly subtitle: string;
  readonly state: 'good' | 'bad' | 'open';
  readonly sentence: string;
}

export type LinkId = 'firmware' | 'shim' | 'grub' | 'kernel' | 'image' | 'ek' | 'ak' | 'quote' | 'claims';

export interface Chains {
  readonly boot: readonly Link[];
  readonly tpm: readonly Link[];
}

interface Plan {
  readonly id: LinkId;
  readonly title: string;
  readonly subtitle: string;
  readonly checks: readonly string[];
}

const TPM: readonly Plan[] = [
  { id: 'ek', title: 'EK', subtitle: "the TPM's identity", checks: ['keys', 'ek-certificate', 'tpm-class'] },
  { id: 'ak', title: 'AK', subtitle: 'its signing key', checks: ['ak-attributes', 'activation'] },
  {
    id: 'quote',
    title: 'Quote',
    subtitle: 'the signed registers',
    checks: [
      'quote-signature',
      'quote-format',
      'quote-signer',
      'quote-binding',
      'quote-selection',
      'quote-values',
      'quote-clock',
    ],
  },
  { id: 'claims', title: 'Claims', subtitle: "the machine's own words", checks: ['claims'] },
];
const FIRMWARE: Plan = {
  id: 'firmware',
  title: 'Firmware',
  subtitle: 'UEFI and Secure Boot',
  checks: ['boot-measured', 'event-log-format', 'event-log-replay', 'event-log-rules', 'secure-boot'],
};
const RUNNING: readonly string[] = ['ima-log', 'kernel-modules', 'configuration'];
/** Registers and components (own-chain.ts) of the links that reference values decide. */
const OWN: readonly (Omit<Plan, 'checks'> & { readonly pcrs: readonly number[]; readonly components: RegExp })[] = [
  { id: 'shim', title: 'shim', subtitle: 'first loader', pcrs: [4, 14], components: /^(shim|MOK)/i },
  { id: 'grub', title: 'GRUB', subtitle: 'boot loader', pcrs: [4, 8, 9], components: /^grub/i },
  {
    id: 'kernel',
    title: 'Kernel',
    subtitle: 'Linux and its command line',
    pcrs: [4, 8, 9],
    components: /^(kernel|load)/i,
  },
  { id: 'image', title: 'Image', subtitle: 'all that runs', pcrs: [9], components: /^initrd/i },
];

const NOT_REACHED = 'Something before it was refused.';

export function chainsOf(verdict: Verdict): Chains {
  const planned = new Set(['image', ...RUNNING, ...[...TPM, FIRMWARE].flatMap(({ checks }) => checks)]);
  // A check that is newer than this picture still colours it: with the firmware, where rules are added.
  const others = verdict.checks.filter(({ name }) => !planned.has(name)).map(({ name }) => name);
  const firmware = { ...FIRMWARE, checks: [...FIRMWARE.checks, ...others] };
  return {
    boot: [byChecks(firmware, verdict.checks), ...OWN.map((plan) => ownLink(plan, verdict))],
    tpm: TPM.map((plan) => byChecks(plan, verdict.checks)),
  };
}

function byChecks({ id, title, subtitle, checks: names }: Plan, all: readonly Check[]): Link {
  const checks = all.filter(({ name }) => names.includes(name));
  const failed = checks.find(({ status }) => status === 'failed');
  if (failed !== undefined) return { id, title, subtitle, state: 'bad', sentence: failed.sentence };
  const last = checks.at(-1);
  if (last === undefined || checks.some(({ status }) => status !== 'passed')) {
    return { id, title, subtitle, state: 'open', sentence: NOT_REACHED };
  }
  return { id, title, subtitle, state: 'good', sentence: last.sentence };
}

function ownLink(plan: (typeof OWN)[number], verdict: Verdict): Link {
  const link = { id: plan.id, title: plan.title, subtitle: plan.subtitle };
  const image = verdict.checks.find(({ name }) => name === 'image');
  if (image?.status === 'failed' && blames(plan, image)) return { ...link, state: 'bad', sentence: image.sentence };
  const running = byChecks({ ...link, checks: RUNNING }, verdict.checks);
  if (plan.id === 'image' && running.state === 'bad') return running;
  if (image === undefined || image.status === 'not-reached') return { ...link, state: 'open', sentence: NOT_REACHED };
  const asExpected = plan.pcrs.every((pcr) =>
    verdict.pcrs.some(({ index, basis }) => index === pcr && (basis === 'reference' || basis === 'initial')),
  );
  if (!asExpected) {
    return { ...link, state: 'open', sentence: 'Its registers differ from the reference values: not cleared.' };
  }
  if (plan.id === 'image' && running.state !== 'good') return running;
  const whole = plan.id === 'image' && image.status === 'passed';
  return { ...link, state: 'good', sentence: whole ? image.sentence : 'As in the reference values.' };
}

/** A component that no link knows belongs to the image as a whole: something must be red when the image is refused. */
function blames(plan: (typeof OWN)[number], image: Check): boolean {
  const component = image.difference?.component ?? '';
  const known = OWN.some(({ components }) => components.test(component));
  return known ? plan.components.test(component) : plan.id === 'image';
}
