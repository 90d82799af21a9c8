/**
 * An attester for tests without a TPM: it makes genuine evidence with node:crypto keys, from the boot of a small image
 * whose parts can be changed one by one. What it signs is right; what a test changes afterwards is not.
 */
import { createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { tpmsAttest } from 'tpm2-ts/attest';
import { encode } from 'tpm2-ts/codec';
import { nodeDigest } from 'tpm2-ts/digest-node';
import { objectName, primaryQualifiedName } from 'tpm2-ts/name';
import { tpmtPublic } from 'tpm2-ts/public-area';
import { tpmtSignature } from 'tpm2-ts/signature';
import { concatBytes, toHex } from '../../shared/bytes.ts';
import { type ActivationTranscript, activationSignatureInput, encodeActivationStatement } from '../activation.ts';
import { claimsSignatureInput, encodeClaims } from '../claims.ts';
import { nodeAttestCrypto as crypto } from '../crypto-node.ts';
import { EventType } from '../event-log/event-types.ts';
import { extend, initialPcr } from '../event-log/replay.ts';
import { type Evidence, type MachineClaims, QUOTED_PCRS } from '../evidence.ts';
import { qualifyingData } from '../qualifying-data.ts';
import type { ReferenceEvent, ReferenceValues } from '../reference-values.ts';
import { type Authority, ekCertificate, newAuthority } from './certificate-authority-node.ts';
import * as log from './event-log-writer.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const p256 = (): KeyObject => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const spki = (key: KeyObject): Uint8Array =>
  new Uint8Array(createPublicKey(key).export({ format: 'der', type: 'spki' }));
const p1363 = (data: Uint8Array, key: KeyObject): Uint8Array =>
  new Uint8Array(sign('sha256', data, { key, dsaEncoding: 'ieee-p1363' }));

/** What is on the medium; a test changes one part. */
export interface Boot {
  readonly secureBoot: boolean;
  readonly shim: string;
  readonly kernel: string;
  readonly initrd: string;
  readonly parameters: string;
  readonly extraCommands: readonly string[];
  readonly modules: readonly string[];
  readonly configuration: Uint8Array;
}

export const GOOD_BOOT: Boot = {
  secureBoot: true,
  shim: 'shim',
  kernel: 'kernel',
  initrd: 'initrd',
  parameters: 'quiet lockdown=confidentiality',
  extraCommands: [],
  modules: ['loop.ko', 'overlay.ko'],
  configuration: new Uint8Array(),
};

type Named = log.WrittenEvent & { readonly component: string; readonly text?: string };

function ownChain(boot: Boot): Named[] {
  const line = `/boot/vmlinuz ${boot.parameters}`;
  const commands = [...boot.extraCommands, `linux ${line}`, 'initrd /boot/initrd.img', 'boot'];
  const config = bytes(commands.join('\n'));
  const file = (name: string, content: Uint8Array, component: string): Named => ({
    ...log.fileRead(name, content),
    component,
  });
  const command = (text: string): Named => ({ ...log.grubCommand(text), component: 'GRUB command', text });
  const mok = (name: string): Named => ({
    pcr: 14,
    type: EventType.IPL,
    data: bytes(`${name}\0`),
    measured: bytes(`vendor ${name}`),
    component: 'MOK list',
  });
  const loadOptions = log.utf16(`BOOT_IMAGE=${line}`);
  return [
    {
      pcr: 4,
      type: EventType.EFI_ACTION,
      data: bytes('Calling EFI Application from Boot Option'),
      component: 'start of the boot loader',
    },
    { ...log.separator(4), component: 'separator' },
    { ...log.image(bytes(boot.shim)), component: 'shim' },
    mok('MokList'),
    mok('MokListX'),
    { ...log.image(bytes('grub')), component: 'GRUB' },
    file('(cd0)/EFI/debian/grub.cfg', config, 'grub.cfg'),
    file('(cd0)/EFI/debian/grub.cfg', config, 'grub.cfg'),
    ...boot.extraCommands.map(command),
    command(`linux ${line}`),
    file('/boot/vmlinuz', bytes(boot.kernel), 'kernel'),
    { ...log.image(bytes(boot.kernel)), component: 'kernel' },
    { ...log.kernelCommandLine(line), component: 'kernel command line', text: line },
    command('initrd /boot/initrd.img'),
    file('/boot/initrd.img', bytes(boot.initrd), 'initrd'),
    command('boot'),
    { ...log.stubTag(0x8f3b22ed, 'LOADED_IMAGE::LoadOptions', loadOptions), component: 'kernel command line' },
    { ...log.stubTag(0x8f3b22ec, 'Linux initrd', bytes(boot.initrd)), component: 'initrd' },
  ];
}

function firmware(boot: Boot): log.WrittenEvent[] {
  const variables = ['PK', 'KEK', 'db', 'dbx'].map((name) => log.variable(name, bytes(`keys of ${name}`)));
  return [
    { pcr: 0, type: EventType.S_CRTM_VERSION, data: log.utf16('1.0') },
    log.variable('SecureBoot', Uint8Array.of(boot.secureBoot ? 1 : 0)),
    ...variables,
    log.separator(7),
    { ...log.variable('BootOrder', Uint8Array.of(0, 0), EventType.EFI_VARIABLE_BOOT), pcr: 1 },
    ...[0, 1, 2, 3, 5, 6].map(log.separator),
    log.variable('db', bytes('authority'), EventType.EFI_VARIABLE_AUTHORITY),
  ];
}

export function bootEvents(boot: Boot): log.WrittenEvent[] {
  return [...firmware(boot), ...ownChain(boot)];
}

/** Reference values as the build of this image would print them. */
export function referenceValuesOf(boot: Boot, version = '0.1.0'): ReferenceValues {
  const sha = (content: string | Uint8Array): string =>
    toHex(crypto.hash('sha256', typeof content === 'string' ? bytes(content) : content));
  const chain = ownChain(boot);
  const events: ReferenceEvent[] = chain.map(({ pcr, component, text, data, measured }) => ({
    pcr: pcr as ReferenceEvent['pcr'],
    component,
    digest: sha(measured ?? data),
    ...(text === undefined ? {} : { text }),
  }));
  const values = replay(chain);
  const pcr = (index: number): string => toHex(values[index] ?? new Uint8Array());
  const pcrs = { '4': pcr(4), '8': pcr(8), '9': pcr(9), '14': pcr(14) };
  const pe = (name: string) => ({ sha256: sha(`file ${name}`), authenticodeSha256: sha(name) });
  return {
    format: 'cpushare-reference-values',
    version: 1,
    image: { name: 'cpushare-seller', version },
    iso: { sha256: sha('iso'), sizeBytes: 3 },
    lock: { sha256: sha('lock') },
    components: {
      shim: pe(boot.shim),
      grub: pe('grub'),
      kernel: pe(boot.kernel),
      grubConfig: { sha256: sha('grub.cfg') },
      initrd: { sha256: sha(boot.initrd), sizeBytes: boot.initrd.length },
    },
    grubCommands: chain.filter((event) => event.component === 'GRUB command').map((event) => event.text ?? ''),
    kernelCommandLine: `/boot/vmlinuz ${boot.parameters}`,
    loadOptions: `BOOT_IMAGE=/boot/vmlinuz ${boot.parameters}`,
    events,
    pcrs: { cd: pcrs, usb: pcrs },
    kernelModules: boot.modules.map((name) => ({ path: `/usr/lib/modules/${name}`, sha256: sha(name) })),
  };
}

function replay(events: readonly log.WrittenEvent[]): Uint8Array[] {
  const pcrs = QUOTED_PCRS.map((index) => initialPcr(index, 'sha256'));
  for (const { pcr, data, measured, type } of events) {
    if (type === EventType.NO_ACTION) continue;
    pcrs[pcr] = extend(
      pcrs[pcr] ?? initialPcr(pcr, 'sha256'),
      crypto.hash('sha256', measured ?? data),
      'sha256',
      crypto,
    );
  }
  return pcrs;
}

/** One machine with its TPM: keys, certificate, and how to quote. */
export interface Machine {
  readonly authority: Authority;
  readonly activation: { readonly kind: 'witnessed'; readonly ekName: string; readonly akName: string };
  readonly transcript: (broker: KeyObject) => ActivationTranscript;
  readonly attest: (request: AttestRequest) => Evidence;
}

export interface AttestRequest {
  readonly challenge: Uint8Array;
  readonly brokerId: Uint8Array;
  readonly boot?: Boot;
  /** In place of the log that the boot would write; registers follow it. */
  readonly events?: readonly log.WrittenEvent[];
  /** Changes the statement before it is signed: what only a forger's key could do. */
  readonly statement?: (attest: Uint8Array) => Uint8Array;
  readonly claims?: Partial<MachineClaims>;
}

export interface MachineOptions {
  readonly authority?: Authority;
  readonly manufacturer?: string;
  readonly model?: string;
  readonly akAttributes?: Partial<
    Record<'restricted' | 'decrypt' | 'fixedTpm' | 'fixedParent' | 'sensitiveDataOrigin', boolean>
  >;
  readonly certificates?: (ekSpki: Uint8Array, authority: Authority) => readonly Uint8Array[];
}

export function newMachine(options: MachineOptions = {}): Machine {
  const authority = options.authority ?? newAuthority('swtpm-localca');
  const [ekKey, akKey, sessionKey] = [p256(), p256(), p256()];
  const ekPublic = eccPublic(ekKey, { restricted: true, decrypt: true, sign: false });
  const akPublic = eccPublic(akKey, { restricted: true, decrypt: false, sign: true, ...options.akAttributes });
  const ekCertificates = options.certificates?.(spki(ekKey), authority) ?? [
    ekCertificate(authority, spki(ekKey), {
      manufacturer: options.manufacturer ?? 'id:00001014',
      model: options.model ?? 'swtpm',
    }),
  ];
  const names = { ekName: toHex(objectName(ekPublic, nodeDigest)), akName: toHex(objectName(akPublic, nodeDigest)) };
  return {
    authority,
    activation: { kind: 'witnessed', ...names },
    transcript: (broker) => {
      const statement = encodeActivationStatement({ ...names, activatedAt: '2026-11-21T04:00:00.000Z' });
      return {
        statement,
        signature: p1363(activationSignatureInput(statement), broker),
        brokerPublicKey: spki(broker),
      };
    },
    attest: (request) => {
      const boot = request.boot ?? GOOD_BOOT;
      const events = request.events ?? bootEvents(boot);
      const pcrs = replay(events);
      const ima = measureRuntime(boot, pcrs);
      const sessionPublicKey = spki(sessionKey);
      const extraData = qualifyingData({ ...request, sessionPublicKey, role: 'seller' }, crypto);
      const attested = encode(tpmsAttest, {
        type: 'quote',
        qualifiedSigner: primaryQualifiedName(akPublic, nodeDigest),
        extraData,
        clockInfo: { clock: 1000n, resetCount: 1, restartCount: 0, safe: true },
        firmwareVersion: 1n,
        pcrSelect: [{ hash: 'sha256', pcrs: QUOTED_PCRS }],
        pcrDigest: crypto.hash('sha256', concatBytes(...pcrs)),
      });
      const quote = request.statement?.(attested) ?? attested;
      const raw = p1363(quote, akKey);
      const claims = encodeClaims({ ...CLAIMS, challenge: toHex(request.challenge), ...request.claims });
      return {
        quote,
        signature: encode(tpmtSignature, { algorithm: 'ecdsa', hash: 'sha256', r: raw.slice(0, 32), s: raw.slice(32) }),
        pcrs: { sha256: Object.fromEntries(pcrs.map((value, index) => [index, value])) },
        eventLog: log.writeEventLog(events, crypto),
        imaLog: ima,
        configuration: boot.configuration,
        akPublic,
        ekPublic,
        ekCertificates,
        sessionPublicKey,
        claims,
        claimsSignature: p1363(claimsSignatureInput(claims), sessionKey),
      };
    },
  };
}

/** Extends registers 10 and 12 as the running image does; returns the IMA log. */
function measureRuntime(boot: Boot, pcrs: Uint8Array[]): Uint8Array {
  const aggregate = crypto.hash('sha256', concatBytes(...pcrs.slice(0, 10)));
  const modules = boot.modules.map((name) => log.imaEntry(crypto.hash('sha256', bytes(name)), `/m/${name}`, crypto));
  const entries = [log.imaEntry(aggregate, 'boot_aggregate', crypto), ...modules];
  for (const entry of entries) pcrs[10] = extend(pcrs[10] ?? new Uint8Array(32), entry.extended, 'sha256', crypto);
  if (boot.configuration.length > 0) {
    pcrs[12] = extend(pcrs[12] ?? new Uint8Array(32), crypto.hash('sha256', boot.configuration), 'sha256', crypto);
  }
  return concatBytes(...entries.map((entry) => entry.bytes));
}

const CLAIMS: MachineClaims = {
  clientVersion: '0.1.0',
  challenge: '',
  accelerator: { name: 'tcg', reason: 'no /dev/kvm' },
  cpuModel: 'test',
  memoryBytes: 536_870_912,
  secureBoot: true,
  bootMode: 'uefi',
  uptimeMs: 20_000,
};

function eccPublic(
  key: KeyObject,
  use: { restricted: boolean; decrypt: boolean; sign: boolean; [attribute: string]: boolean },
): Uint8Array {
  const { x, y } = createPublicKey(key).export({ format: 'jwk' });
  const coordinate = (value: string | undefined): Uint8Array => new Uint8Array(Buffer.from(value ?? '', 'base64url'));
  const { sign: signEncrypt, ...attributes } = use;
  return encode(tpmtPublic, {
    type: 'ecc',
    nameAlg: 'sha256',
    attributes: {
      fixedTpm: true,
      stClear: false,
      fixedParent: true,
      sensitiveDataOrigin: true,
      userWithAuth: true,
      adminWithPolicy: false,
      firmwareLimited: false,
      svnLimited: false,
      noDa: true,
      encryptedDuplication: false,
      x509Sign: false,
      signEncrypt,
      ...attributes,
    },
    authPolicy: new Uint8Array(),
    symmetric: signEncrypt ? { algorithm: 'null' } : { algorithm: 'aes', keyBits: 128, mode: 'cfb' },
    scheme: signEncrypt ? { algorithm: 'ecdsa', hash: 'sha256' } : { algorithm: 'null' },
    curve: 'p256',
    kdf: { algorithm: 'null' },
    unique: { x: coordinate(x), y: coordinate(y) },
  });
}
