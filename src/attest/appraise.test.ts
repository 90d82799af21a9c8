import { createHash, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../shared/bytes.ts';
import { appraise, CHECK_NAMES } from './appraise.ts';
import { nodeAttestCrypto } from './crypto/crypto-node.ts';
import { EventType } from './event-log/event-types.ts';
import type { Evidence } from './evidence.ts';
import type { Expected } from './expected.ts';
import { demoPolicyAcceptingSoftwareTpm, policyAccepting } from './policy/policies.ts';
import { newMachine } from './testing/attester-node.ts';
import { bootEvents, GOOD_BOOT, referenceValuesOf } from './testing/boot-node.ts';
import { ekCertificate, newAuthority } from './testing/certificate-authority-node.ts';
import { grubCommand, separator, variable } from './testing/event-log-writer.ts';
import type { Verdict } from './verdict.ts';

const challenge = new Uint8Array(32).fill(7);
const broker = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const brokerId = idOf(broker);
const machine = newMachine();
const evidence = machine.attest({ challenge, brokerId });
const expected: Expected = {
  challenge,
  brokerId,
  activation: machine.activation,
  referenceValues: [referenceValuesOf(GOOD_BOOT)],
  trustAnchors: [machine.authority.certificate],
  extraCertificates: [],
  revocationLists: [],
  policy: demoPolicyAcceptingSoftwareTpm,
  time: new Date('2026-11-21T05:00:00Z'),
};

function idOf(key: KeyObject): Uint8Array {
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' });
  return new Uint8Array(createHash('sha256').update(spki).digest());
}

function judge(changes: Partial<Evidence> = {}, expectations: Partial<Expected> = {}): Verdict {
  return appraise({ ...evidence, ...changes }, { ...expected, ...expectations }, nodeAttestCrypto);
}

const firstFailure = (verdict: Verdict) => verdict.checks.find((check) => check.status === 'failed');
const flip = (bytes: Uint8Array, index: number, mask = 1): Uint8Array => {
  const copy = Uint8Array.from(bytes);
  copy[index] = (copy[index] ?? 0) ^ mask;
  return copy;
};

describe('genuine evidence', () => {
  it('is accepted with every check passed, the image named and each register accounted for', () => {
    const verdict = judge();
    expect(verdict.checks.filter((check) => check.status !== 'passed')).toEqual([]);
    expect(verdict.status).toBe('accepted');
    expect(verdict.checks.map((check) => check.name)).toEqual([...CHECK_NAMES]);
    expect(verdict.image).toEqual({ name: 'cpushare-seller', version: '0.1.0' });
    expect(verdict.tpm.class).toBe('software');
    expect(verdict.pcrs.map((pcr) => pcr.basis).join(' ')).toBe(
      'explained explained explained explained reference explained explained rule reference reference rule initial initial initial reference initial',
    );
    expect(verdict.claims?.accelerator.name).toBe('tcg');
    expect(verdict.limits.length).toBeGreaterThan(3);
  });

  it('is accepted with a configuration that was measured', () => {
    const boot = { ...GOOD_BOOT, configuration: new TextEncoder().encode('{"broker":"https://b"}') };
    expect(judge(machine.attest({ challenge, brokerId, boot })).status).toBe('accepted');
  });

  it("is accepted on the broker's signed word for the activation, and says that it rests on it", () => {
    const verdict = judge({}, { activation: { kind: 'transcript', transcript: machine.transcript(broker) } });
    expect(verdict.status).toBe('accepted');
    expect(verdict.limits.join(' ')).toContain('word of the broker');
  });

  it('is accepted when the IMA log was read after the quote and runs ahead', () => {
    const longer = machine.attest({
      challenge,
      brokerId,
      boot: { ...GOOD_BOOT, modules: ['loop.ko', 'overlay.ko', 'e1000e.ko'] },
    });
    expect(judge({ imaLog: longer.imaLog }).status).toBe('accepted');
  });

  it('finds the release it runs among several', () => {
    const next = referenceValuesOf({ ...GOOD_BOOT, initrd: 'next' }, '0.2.0');
    expect(judge({}, { referenceValues: [next, ...expected.referenceValues] }).image?.version).toBe('0.1.0');
  });
});

describe('an image for developers', () => {
  const values = referenceValuesOf(GOOD_BOOT);
  const debug = [{ ...values, image: { ...values.image, debug: true } }] as const;

  it('is refused though every register fits, and named', () => {
    const verdict = judge({}, { referenceValues: debug });
    expect(verdict.status).toBe('refused');
    expect(firstFailure(verdict)).toMatchObject({ name: 'image', code: 'IMAGE_FOR_DEBUGGING', family: 'policy' });
  });

  it('is accepted by who says so', () => {
    const policy = { ...expected.policy, debugImages: 'accept' } as const;
    expect(judge({}, { referenceValues: debug, policy }).status).toBe('accepted');
  });
});

describe('another boot is refused with the component named', () => {
  it.each([
    {
      name: 'one byte of the initrd',
      boot: { initrd: 'initrE' },
      code: 'INITRD_DIFFERS',
      component: 'initrd',
      words: 'initrd differs',
    },
    {
      name: 'a kernel parameter',
      boot: { parameters: `${GOOD_BOOT.parameters} init=/bin/sh` },
      code: 'KERNEL_COMMAND_LINE_DIFFERS',
      component: 'kernel command line',
      words:
        'kernel command line differs: expected "/boot/vmlinuz quiet lockdown=confidentiality", got "/boot/vmlinuz quiet lockdown=confidentiality init=/bin/sh"',
    },
    {
      name: 'a GRUB command',
      boot: { extraCommands: ['set debug=all'] },
      code: 'GRUB_COMMAND_DIFFERS',
      component: 'GRUB command',
      words: 'GRUB command added: "set debug=all"',
    },
    { name: 'another shim', boot: { shim: 'shim 15' }, code: 'SHIM_DIFFERS', component: 'shim', words: 'shim differs' },
    { name: 'another GRUB', boot: { grub: 'grub 3' }, code: 'GRUB_DIFFERS', component: 'GRUB', words: 'GRUB differs' },
    {
      name: 'an enrolled MOK',
      boot: { mokList: 'MokList and mine' },
      code: 'MOK_LIST_DIFFERS',
      component: 'MOK list',
      words: 'MOK list differs',
    },
    {
      name: 'a remark in grub.cfg',
      boot: { remark: '# hello' },
      code: 'GRUB_CONFIG_DIFFERS',
      component: 'grub.cfg',
      words: 'grub.cfg differs',
    },
    {
      name: 'another kernel',
      boot: { kernel: 'kernel 5' },
      code: 'KERNEL_DIFFERS',
      component: 'kernel',
      words: 'kernel differs',
    },
  ])('$name', ({ boot, code, component, words }) => {
    const verdict = judge(machine.attest({ challenge, brokerId, boot: { ...GOOD_BOOT, ...boot } }));
    expect(verdict).toMatchObject({ status: 'refused', image: null });
    expect(firstFailure(verdict)).toMatchObject({ name: 'image', code, difference: { component } });
    expect(firstFailure(verdict)?.sentence).toContain(words);
  });

  it('something measured that no reference value names', () => {
    const events = [...bootEvents(GOOD_BOOT), { pcr: 9, type: EventType.EVENT_TAG, data: new Uint8Array(2) }];
    const verdict = judge(machine.attest({ challenge, brokerId, events }));
    expect(firstFailure(verdict)).toMatchObject({ name: 'image', code: 'REFERENCE_MISMATCH' });
  });

  it.each([
    { name: 'no IMA', bootAggregate: null, code: 'IMA_NOT_MEASURED' },
    { name: 'another boot aggregate', bootAggregate: new Uint8Array(32), code: 'BOOT_AGGREGATE_MISMATCH' },
  ])('$name', ({ bootAggregate, code }) => {
    const boot = { ...GOOD_BOOT, modules: [], bootAggregate };
    expect(firstFailure(judge(machine.attest({ challenge, brokerId, boot })))?.code).toBe(code);
  });

  it('Secure Boot off, first of all', () => {
    const verdict = judge(machine.attest({ challenge, brokerId, boot: { ...GOOD_BOOT, secureBoot: false } }));
    expect(firstFailure(verdict)).toMatchObject({ name: 'secure-boot', code: 'SECURE_BOOT_OFF' });
  });

  it('legacy BIOS: registers 8 and 9 untouched', () => {
    const events = [0, 1, 2, 3, 4, 5, 6, 7].map(separator);
    const verdict = judge(machine.attest({ challenge, brokerId, events }));
    expect(firstFailure(verdict)).toMatchObject({ name: 'boot-measured', code: 'BOOT_NOT_MEASURED' });
  });

  it('a kernel module that is not from the image', () => {
    const boot = { ...GOOD_BOOT, modules: ['loop.ko', 'rootkit.ko'] };
    const verdict = judge(machine.attest({ challenge, brokerId, boot }));
    expect(firstFailure(verdict)).toMatchObject({ name: 'kernel-modules', code: 'KERNEL_MODULE_UNKNOWN' });
    expect(verdict.pcrs[10]?.basis).toBe('differs');
  });
});

describe('register 7 must leave no doubt', () => {
  const good = bootEvents(GOOD_BOOT);
  const at = (name: string): number =>
    good.findIndex(
      (event) => event.pcr === 7 && String.fromCharCode(...event.data).includes(name.split('').join('\0')),
    );
  it.each([
    {
      name: 'SecureBoot measured again behind the first',
      events: good.toSpliced(at('SecureBoot') + 1, 0, variable('SecureBoot', Uint8Array.of(1))),
      code: 'SECURE_BOOT_UNPROVEN',
    },
    {
      name: 'the true SecureBoot hidden under another type, a false one behind it',
      events: good.toSpliced(at('SecureBoot'), 0, {
        ...variable('SecureBoot', Uint8Array.of(0)),
        type: EventType.POST_CODE,
      }),
      code: 'SECURE_BOOT_UNPROVEN',
    },
    {
      name: 'data that does not hash to the digest',
      events: good.with(at('SecureBoot'), { ...variable('SecureBoot', Uint8Array.of(1)), measured: Uint8Array.of(0) }),
      code: 'SECURE_BOOT_UNPROVEN',
    },
    {
      name: 'no platform key',
      events: good.with(at('PK'), variable('PK', new Uint8Array())),
      code: 'SECURE_BOOT_SETUP_MODE',
    },
    {
      name: 'an application event behind the separator',
      events: [...good, { pcr: 7, type: EventType.EFI_ACTION, data: new Uint8Array(3) }],
      code: 'SECURE_BOOT_UNPROVEN',
    },
    {
      name: 'no separator',
      events: good.filter((event) => event.pcr !== 7 || event.type !== EventType.SEPARATOR),
      code: 'EVENT_LOG_RULE_BROKEN',
    },
    {
      name: 'an error separator',
      events: good.map((event) =>
        event.pcr === 7 && event.type === EventType.SEPARATOR ? { ...event, data: Uint8Array.of(1, 0, 0, 0) } : event,
      ),
      code: 'FIRMWARE_REPORTED_ERROR',
    },
  ])('$name', ({ events, code }) => {
    expect(firstFailure(judge(machine.attest({ challenge, brokerId, events })))?.code).toBe(code);
  });
});

/** TPMS_ATTEST: head 6, signer 36, extra data 34, clock 8, two counts 8, then `safe`. */
const SAFE_FLAG_AT = 92;
/** One SHA-1 event: register 0, a separator. */
const sha1Log = Uint8Array.from([0, 0, 0, 0, 4, 0, 0, 0, ...new Uint8Array(20), 4, 0, 0, 0, 0, 0, 0, 0]);
const other = newMachine({ authority: machine.authority });
const foreign = other.attest({ challenge, brokerId });
const later = machine.attest({ challenge: new Uint8Array(32).fill(8), brokerId });
const otherCurve = new Uint8Array(
  generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey.export({ format: 'der', type: 'spki' }),
);
const longerKey = { sessionPublicKey: Uint8Array.from([...evidence.sessionPublicKey, 0]) };
const grown = machine.attest({
  challenge,
  brokerId,
  events: [...bootEvents(GOOD_BOOT), { pcr: 11, type: EventType.IPL, data: new Uint8Array(1) }],
});

describe('evidence that is not what it says is refused with its own code', () => {
  const pcrs = evidence.pcrs.sha256 ?? {};
  const cases: { name: string; changes: Partial<Evidence>; code: string }[] = [
    { name: 'evidence for another nonce', changes: later, code: 'CHALLENGE_MISMATCH' },
    {
      name: "another AK's quote",
      changes: { quote: foreign.quote, signature: foreign.signature },
      code: 'QUOTE_SIGNATURE_INVALID',
    },
    {
      name: 'another AK with its quote',
      changes: { quote: foreign.quote, signature: foreign.signature, akPublic: foreign.akPublic },
      code: 'ACTIVATION_AK_MISMATCH',
    },
    { name: 'another EK', changes: { ekPublic: foreign.ekPublic }, code: 'ACTIVATION_EK_MISMATCH' },
    {
      name: 'a swapped session key',
      changes: { sessionPublicKey: foreign.sessionPublicKey },
      code: 'BINDING_MISMATCH',
    },
    {
      name: 'a session key on another curve',
      changes: { sessionPublicKey: otherCurve },
      code: 'SESSION_KEY_MALFORMED',
    },
    { name: 'a session key with a byte behind it', changes: longerKey, code: 'SESSION_KEY_MALFORMED' },
    { name: 'claims of another quote', changes: { claims: later.claims }, code: 'BINDING_MISMATCH' },
    {
      name: 'claims made for another challenge than the quote over them',
      changes: machine.attest({ challenge, brokerId, claims: { challenge: '00'.repeat(32) } }),
      code: 'CLAIMS_CHALLENGE_MISMATCH',
    },
    { name: 'claims longer than any', changes: { claims: new Uint8Array(70_000) }, code: 'CLAIMS_MALFORMED' },
    {
      name: "another TPM's EK certificate",
      changes: { ekCertificates: foreign.ekCertificates },
      code: 'EK_KEY_MISMATCH',
    },
    {
      name: 'trailing bytes behind the quote',
      changes: machine.attest({ challenge, brokerId, statement: (quote) => Uint8Array.from([...quote, 0]) }),
      code: 'QUOTE_TRAILING_BYTES',
    },
    {
      name: 'a quote cut short',
      changes: machine.attest({ challenge, brokerId, statement: (quote) => quote.slice(0, -1) }),
      code: 'QUOTE_TRUNCATED',
    },
    {
      name: 'bytes no TPM made',
      changes: machine.attest({ challenge, brokerId, statement: (quote) => flip(quote, 0) }),
      code: 'QUOTE_MAGIC_WRONG',
    },
    {
      name: 'a CERTIFY statement',
      changes: machine.attest({ challenge, brokerId, statement: (quote) => flip(quote, 5, 0x18 ^ 0x17) }),
      code: 'QUOTE_TYPE_WRONG',
    },
    {
      name: 'another qualified signer',
      changes: machine.attest({ challenge, brokerId, statement: (quote) => flip(quote, 20) }),
      code: 'QUOTE_SIGNER_MISMATCH',
    },
    {
      name: 'trailing bytes behind the signature',
      changes: { signature: Uint8Array.from([...evidence.signature, 0]) },
      code: 'SIGNATURE_TRAILING_BYTES',
    },
    {
      name: 'a signature cut short',
      changes: { signature: evidence.signature.slice(0, -1) },
      code: 'SIGNATURE_TRUNCATED',
    },
    {
      name: 'a signature of another hash',
      changes: { signature: flip(evidence.signature, 3, 0x0b ^ 0x0c) },
      code: 'SIGNATURE_SCHEME_MISMATCH',
    },
    { name: 'register values of another boot', changes: { pcrs: grown.pcrs }, code: 'QUOTE_PCR_DIGEST_MISMATCH' },
    {
      name: 'register values split at another width',
      changes: { pcrs: { sha256: { ...pcrs, 0: new Uint8Array(31), 1: new Uint8Array(33) } } },
      code: 'PCR_VALUES_MALFORMED',
    },
    {
      name: 'a register value missing',
      changes: { pcrs: { sha256: Object.fromEntries(Object.entries(pcrs).slice(1)) } },
      code: 'PCR_VALUES_MALFORMED',
    },
    {
      name: 'values of a bank that was not quoted',
      changes: { pcrs: { ...evidence.pcrs, sha1: { 0: new Uint8Array(20) } } },
      code: 'PCR_VALUES_MALFORMED',
    },
    {
      name: 'a quote over fewer registers',
      changes: machine.attest({ challenge, brokerId, quoted: [0, 1, 2] }),
      code: 'QUOTE_SELECTION_WRONG',
    },
    {
      name: 'a quote over none',
      changes: machine.attest({ challenge, brokerId, quoted: [] }),
      code: 'QUOTE_SELECTION_WRONG',
    },
    {
      name: 'a quote with a flag that is neither yes nor no',
      changes: machine.attest({
        challenge,
        brokerId,
        statement: (quote) => quote.map((byte, at) => (at === SAFE_FLAG_AT ? 7 : byte)),
      }),
      code: 'QUOTE_MALFORMED',
    },
    {
      name: 'a signature of an unknown kind',
      changes: { signature: flip(evidence.signature, 1, 0xff) },
      code: 'SIGNATURE_MALFORMED',
    },
    {
      name: 'an event log that is none',
      changes: { eventLog: new Uint8Array(64).fill(0x41) },
      code: 'EVENT_LOG_MALFORMED',
    },
    { name: 'a log without sha256', changes: { eventLog: sha1Log }, code: 'EVENT_LOG_BANK_MISSING' },
    { name: 'no event log', changes: { eventLog: new Uint8Array() }, code: 'EVENT_LOG_MISSING' },
    {
      name: 'an event log cut within an event',
      changes: { eventLog: evidence.eventLog.slice(0, -1) },
      code: 'EVENT_LOG_TRUNCATED',
    },
    {
      name: 'an event log with trailing bytes',
      changes: { eventLog: Uint8Array.from([...evidence.eventLog, 0, 0, 0]) },
      code: 'EVENT_LOG_TRAILING_BYTES',
    },
    { name: 'the log of a longer boot', changes: { eventLog: grown.eventLog }, code: 'EVENT_LOG_REPLAY_MISMATCH' },
    {
      name: 'a register that no event explains',
      changes: { ...grown, eventLog: evidence.eventLog },
      code: 'PCR_UNEXPLAINED',
    },
    { name: 'no IMA log', changes: { imaLog: new Uint8Array() }, code: 'IMA_LOG_MISSING' },
    { name: 'an IMA log cut short', changes: { imaLog: evidence.imaLog.slice(0, -1) }, code: 'IMA_LOG_MALFORMED' },
    {
      name: 'an IMA log with an entry altered',
      changes: { imaLog: flip(evidence.imaLog, evidence.imaLog.length - 8) },
      code: 'IMA_LOG_REPLAY_MISMATCH',
    },
    {
      name: 'a configuration that was not measured',
      changes: { configuration: new Uint8Array(3) },
      code: 'CONFIGURATION_MISMATCH',
    },
    { name: 'an AK that is no public area', changes: { akPublic: new Uint8Array(3) }, code: 'AK_PUBLIC_MALFORMED' },
    { name: 'an EK that is no public area', changes: { ekPublic: new Uint8Array(3) }, code: 'EK_PUBLIC_MALFORMED' },
    {
      name: 'a certificate that is none',
      changes: { ekCertificates: [new Uint8Array(9)] },
      code: 'EK_CERTIFICATE_MALFORMED',
    },
  ];

  it.each(cases)('$name: $code', ({ changes, code }) => {
    const verdict = judge(changes);
    expect(verdict.status).toBe('refused');
    expect(firstFailure(verdict)?.code).toBe(code);
  });

  it('an event log cut between two events', () => {
    const all = bootEvents(GOOD_BOOT);
    const shorter = machine.attest({ challenge, brokerId, events: all.slice(0, -1) });
    expect(firstFailure(judge({ eventLog: shorter.eventLog }))).toMatchObject({
      code: 'EVENT_LOG_REPLAY_MISMATCH',
      difference: { component: 'register 9' },
    });
  });

  it('a GRUB command whose text was altered in the log is refused and not printed', () => {
    const events = bootEvents({ ...GOOD_BOOT, extraCommands: ['evil'] }).map((event) =>
      event.pcr === 8 && event.measured?.length === 4 && event.measured[0] === 'e'.charCodeAt(0)
        ? { ...event, data: grubCommand('harmless').data }
        : event,
    );
    const failure = firstFailure(judge(machine.attest({ challenge, brokerId, events })));
    expect(failure).toMatchObject({ name: 'event-log-rules', code: 'EVENT_LOG_RULE_BROKEN' });
    expect(JSON.stringify(failure)).not.toContain('harmless');
  });
});

describe('activation by transcript', () => {
  const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const transcript = machine.transcript(broker);
  it.each([
    { name: 'signed by another broker', changed: machine.transcript(stranger), code: 'ACTIVATION_BROKER_MISMATCH' },
    {
      name: 'with a broken signature',
      changed: { ...transcript, signature: flip(transcript.signature, 9) },
      code: 'ACTIVATION_SIGNATURE_INVALID',
    },
    { name: 'of another machine', changed: other.transcript(broker), code: 'ACTIVATION_AK_MISMATCH' },
    { name: 'of a statement that is none', changed: machine.transcript(broker, '{}'), code: 'ACTIVATION_MALFORMED' },
  ])('$name is refused', ({ changed, code }) => {
    const verdict = judge({}, { activation: { kind: 'transcript', transcript: changed } });
    expect(firstFailure(verdict)).toMatchObject({ name: 'activation', code });
  });
});

describe('the clock of the quote', () => {
  const at = (clock: bigint, resetCount: number) =>
    machine.attest({ challenge, brokerId, clock: { clock, resetCount } });

  it('is in the verdict for the next one to be judged against, whether or not this one is accepted', () => {
    const { clock } = judge(at(5_000_000_000_000n, 3));
    expect(clock).toEqual({
      clockMs: '5000000000000',
      resetCount: 3,
      restartCount: 0,
      safe: true,
      firmwareVersion: '0000000000000001',
      obfuscated: false,
    });
    expect(judge({ eventLog: new Uint8Array() }).clock).not.toBeNull();
    expect(judge({ signature: flip(evidence.signature, 20) }).clock).toBeNull();
  });

  it('goes on, and its own quote judged again stands still: accepted', () => {
    const lastClock = judge(at(1000n, 3)).clock;
    for (const [clock, resetCount] of [
      [1000n, 3],
      [1001n, 3],
      [1001n, 4],
    ] as const) {
      expect(judge(at(clock, resetCount), { lastClock }).status).toBe('accepted');
    }
  });

  it('must not go back: refused by policy before the boot is looked at', () => {
    const verdict = judge(at(999n, 3), { lastClock: judge(at(1000n, 3)).clock });
    expect(firstFailure(verdict)).toMatchObject({
      name: 'quote-clock',
      code: 'QUOTE_CLOCK_BACKWARDS',
      family: 'policy',
      remedy: expect.stringContaining('clock.backwards'),
    });
    expect(verdict).toMatchObject({ status: 'refused', claims: null, image: null });
  });
});

describe('AK attributes', () => {
  it.each([
    { restricted: false },
    { decrypt: true },
    { fixedTpm: false },
    { fixedParent: false },
    { sensitiveDataOrigin: false },
  ])('refuses an AK with %o', (akAttributes) => {
    const weak = newMachine({ akAttributes });
    const verdict = judge(weak.attest({ challenge, brokerId }), { activation: weak.activation });
    expect(firstFailure(verdict)?.code).toBe('AK_ATTRIBUTES_UNSAFE');
  });
});

describe('TPM class', () => {
  const vendor = newAuthority('Infineon OPTIGA(TM) TPM 2.0 CA');
  const judgeMachine = (made: ReturnType<typeof newMachine>, expectations: Partial<Expected>): Verdict =>
    judge(made.attest({ challenge, brokerId }), { activation: made.activation, ...expectations });

  it('an unknown authority: class unknown, refused unless the policy says otherwise', () => {
    const refused = judge({}, { trustAnchors: [] });
    expect(firstFailure(refused)).toMatchObject({ name: 'tpm-class', code: 'EK_AUTHORITY_UNKNOWN' });
    expect(refused.tpm.class).toBe('unknown');
    const allowed = judge({}, { trustAnchors: [], policy: policyAccepting(['unknown']) });
    expect(allowed).toMatchObject({ status: 'accepted', tpm: { class: 'unknown' } });
  });

  it('an authority of the right name and another key is unknown', () => {
    const verdict = judge({}, { trustAnchors: [newAuthority('swtpm-localca').certificate] });
    expect(firstFailure(verdict)?.code).toBe('EK_AUTHORITY_UNKNOWN');
  });

  it('software where only hardware is accepted', () => {
    const verdict = judge({}, { policy: policyAccepting(['hardware']) });
    expect(firstFailure(verdict)).toMatchObject({ code: 'TPM_CLASS_NOT_ACCEPTED', difference: { actual: 'software' } });
  });

  it("swtpm's own authority never makes hardware, whatever its certificate says", () => {
    const made = newMachine({ manufacturer: 'id:49465800', model: 'SLB9670' });
    const verdict = judgeMachine(made, { trustAnchors: [made.authority.certificate] });
    expect(verdict.tpm.class).toBe('software');
  });

  it('a vendor written into the certificate by an authority of another name is unknown', () => {
    const made = newMachine({ authority: newAuthority('Some Lab CA'), manufacturer: 'id:49465800', model: 'SLB9670' });
    const verdict = judgeMachine(made, { trustAnchors: [made.authority.certificate] });
    expect(verdict.tpm.class).toBe('unknown');
  });

  it("hardware through the vendor's intermediate", () => {
    const intermediate = newAuthority('Infineon OPTIGA(TM) RSA Manufacturing CA 042', vendor);
    const made = newMachine({
      certificates: (ek) => [
        ekCertificate(intermediate, ek, { manufacturer: 'id:49465800', model: 'SLB9670' }),
        intermediate.certificate,
      ],
    });
    const named = { trustAnchors: [vendor.certificate], policy: policyAccepting(['hardware']) };
    const stated = { [toHex(nodeAttestCrypto.hash('sha256', vendor.certificate))]: 'hardware' } as const;
    const verdict = judgeMachine(made, { ...named, anchorClasses: stated });
    expect(verdict).toMatchObject({ status: 'accepted', tpm: { class: 'hardware' } });
    // a root in no table of vendors, named without saying what it stands for: its own name proves nothing
    expect(judgeMachine(made, named)).toMatchObject({ status: 'refused', tpm: { class: 'unknown' } });
  });

  it.each([
    { name: 'expired', subject: { notAfter: new Date('2026-06-01T00:00:00Z') }, code: 'EK_CERTIFICATE_EXPIRED' },
    { name: 'not yet valid', subject: { notBefore: new Date('2027-06-01T00:00:00Z') }, code: 'EK_CERTIFICATE_EXPIRED' },
    { name: 'for another use', subject: { usage: '1.3.6.1.5.5.7.3.1' }, code: 'EK_CERTIFICATE_PURPOSE' },
  ])('a certificate $name is refused', ({ subject, code }) => {
    const made = newMachine({
      certificates: (ek, authority) => [
        ekCertificate(authority, ek, { manufacturer: 'id:00001014', model: 'swtpm', ...subject }),
      ],
    });
    const verdict = judgeMachine(made, { trustAnchors: [made.authority.certificate] });
    expect(firstFailure(verdict)?.code).toBe(code);
  });

  it('a chain through a certificate that is no authority is refused', () => {
    const made = newMachine({ authority: vendor });
    const leafAsIssuer = { ...vendor, name: 'unknown' };
    const verdict = judgeMachine(
      newMachine({
        certificates: (ek) => [
          ekCertificate(leafAsIssuer, ek, { manufacturer: 'id:49465800', model: 'SLB9670' }),
          ...made.attest({ challenge, brokerId }).ekCertificates,
        ],
      }),
      { trustAnchors: [vendor.certificate] },
    );
    expect(verdict.tpm.class).toBe('unknown');
  });

  it('no certificate at all', () => {
    const verdict = judgeMachine(newMachine({ certificates: () => [] }), {});
    expect(firstFailure(verdict)?.code).toBe('EK_CERTIFICATE_MISSING');
  });
});

describe('expectations that cannot be judged with are an error, not a verdict', () => {
  it.each([
    { name: 'a short challenge', expectations: { challenge: new Uint8Array(31) }, code: 'EXPECTED_INVALID' },
    { name: 'no accepted class', expectations: { policy: policyAccepting([]) }, code: 'EXPECTED_INVALID' },
    {
      name: 'too few registers',
      expectations: { policy: { ...expected.policy, pcrs: [0, 4] } },
      code: 'EXPECTED_INVALID',
    },
    {
      name: 'edited reference values',
      expectations: {
        referenceValues: [
          {
            ...expected.referenceValues[0],
            pcrs: {
              cd: { '4': '00'.repeat(32), '8': '00'.repeat(32), '9': '00'.repeat(32), '14': '00'.repeat(32) },
              usb: expected.referenceValues[0].pcrs.usb,
            },
          },
        ] as const,
      },
      code: 'REFERENCE_VALUES_INCONSISTENT',
    },
  ] as { name: string; expectations: Partial<Expected>; code: string }[])('$name', ({ expectations, code }) => {
    expect(() => judge({}, expectations)).toThrow(expect.objectContaining({ code }));
  });
});

describe('no bit of the evidence can change unnoticed', () => {
  const fields = [
    'quote',
    'signature',
    'eventLog',
    'imaLog',
    'akPublic',
    'ekPublic',
    'sessionPublicKey',
    'claims',
  ] as const;
  it.each(fields)('%s', (field) => {
    const bytes = evidence[field];
    const step = Math.max(1, Math.floor(bytes.length / 300)); // every byte of the small ones, every few of the logs
    for (let index = 0; index < bytes.length; index += step) {
      const verdict = judge({ [field]: flip(bytes, index, 1 << (index % 8)) });
      // event types and unproven text are not covered by any digest: such a change may pass, but must change nothing
      if (verdict.status === 'accepted') {
        expect(field, `byte ${index}`).toBe('eventLog');
        expect({ ...verdict, checks: [] }).toEqual({ ...judge(), checks: [] });
      }
    }
  });

  it('any register value', () => {
    fc.assert(
      fc.property(fc.nat(15), fc.nat(31), fc.integer({ min: 1, max: 255 }), (pcr, byte, mask) => {
        const values = evidence.pcrs.sha256 ?? {};
        const changed = { sha256: { ...values, [pcr]: flip(values[pcr] ?? fromHex(''), byte, mask) } };
        expect(judge({ pcrs: changed }).status).toBe('refused');
      }),
      { numRuns: 60 },
    );
  });

  it('garbage in any field ends in a verdict', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...fields, 'configuration' as const),
        fc.uint8Array({ maxLength: 400 }),
        (field, bytes) => {
          fc.pre(toHex(bytes) !== toHex(evidence[field]));
          expect(judge({ [field]: bytes }).status).toBe('refused');
        },
      ),
      { numRuns: 200 },
    );
  });
});
