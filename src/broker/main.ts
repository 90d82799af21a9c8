/** The broker's wiring: real clock, disk, database and sockets around the rules. */
import { join } from 'node:path';
import { makeCredential } from 'tpm2-ts/make-credential-node';
import type { ReferenceTrust } from '../attest/image/signed-reference-values.ts';
import type { Policy } from '../attest/policy/policy.ts';
import { describeError } from '../shared/errors.ts';
import { accountFiles } from './accounts.ts';
import type { BrokerContext } from './context.ts';
import { type DataFolder, holdDataFolder } from './data-folder.ts';
import type { Database } from './db/database.ts';
import { migrate } from './db/migrations.ts';
import { openPglite } from './db/pglite.ts';
import { openPostgres } from './db/postgres.ts';
import { sweepVerifications } from './db/verifications.ts';
import { createDoorbells } from './doorbells.ts';
import { createResults } from './ear.ts';
import { MAX_OUTSTANDING_ENROLMENTS } from './enrolment.ts';
import { openIdentity } from './identity.ts';
import { judgeWith } from './judge.ts';
import { type ListenAddress, listenFailed, urlOf } from './listen-address.ts';
import { readReferenceValues, readTrust, requireServable, type TrustStanding } from './operator-files.ts';
import { PAIRING_LIMITS } from './pairing.ts';
import type { RateLimit } from './rate-limit.ts';
import { createServer } from './server.ts';
import { createUnattestedList } from './unattested.ts';
import type { VerificationLimits } from './verification.ts';

export interface BrokerOptions {
  readonly listen: ListenAddress;
  readonly dataFolder: string;
  /** postgres://…; null for PGlite in the data folder. */
  readonly databaseUrl: string | null;
  /** Files. */
  readonly references: readonly string[];
  /** Files, PEM. */
  readonly trust: readonly string[];
  /** What the operator's trust store holds (`attest trust import`). */
  readonly trustStore?: TrustStanding | null;
  /** Whose signature reference values must carry. */
  readonly referenceSigners: ReferenceTrust;
  readonly policy: Policy;
  readonly version: string;
  /** HTML of the verifier that browsers run (scripts/verifier-page.ts); null: none is handed out. */
  readonly verifierPage?: string | null;
  /** https://… in front of /pair, where sellers come in by another address than machines. */
  readonly pairingBase?: string | null;
  readonly log: (line: string) => void;
  /** For tests that must see time pass, or be faster than a person. */
  readonly now?: () => Date;
  readonly rate?: RateLimit;
  readonly verifications?: VerificationLimits;
}

export interface RunningBroker {
  readonly url: string;
  readonly brokerId: string;
  /** Absolute. */
  readonly dataFolder: string;
  /** Name and version of each image that is accepted. */
  readonly images: readonly string[];
  close(): Promise<void>;
}

const MAX_MACHINES = 10_000;
const MAX_UNATTESTED = 1000;
const MAX_CONNECTIONS = 2000;
/** Machines whose question for work is held open; beyond that they ask every few seconds. */
const MAX_HELD_POLLS = 1000;
const SWEEP_MS = 60_000;
const VERIFICATION_LIMITS: VerificationLimits = { total: 256, perMachine: 4, perRequester: 32, credentials: 2 };
/** Requests of one address: a house full of machines passes, a flood does not. */
const RATE: RateLimit = { burst: 200, perSecond: 20, maxRequesters: 10_000 };
const NEXT_ATTESTATION_MS = { accepted: 600_000, refused: 60_000 };

/** @throws StartError; what was opened until then is closed again */
export async function startBroker(options: BrokerOptions): Promise<RunningBroker> {
  const policy = requireServable(options.policy);
  const referenceValues = await readReferenceValues(options.references, options.referenceSigners);
  const trust = await readTrust(options.trust, options.trustStore ?? null, policy.acceptedTpmClasses);
  const standing = { referenceValues, ...trust, policy };
  const now = options.now ?? (() => new Date());
  /** Latest opened, first closed. */
  const closers: (() => Promise<void>)[] = [];
  const close = async () => {
    for (let closer = closers.pop(); closer !== undefined; closer = closers.pop()) await closer();
  };
  try {
    const folder = await holdDataFolder(options.dataFolder);
    closers.push(folder.release);
    const identity = await openIdentity(folder.path);
    const db = await openDatabase(options.databaseUrl, folder);
    closers.push(db.close);
    await migrate(db);
    const context: BrokerContext = {
      db,
      identity,
      version: options.version,
      now,
      makeCredential,
      judge: judgeWith(identity.brokerId, standing),
      results: await createResults(identity, standing, options.version),
      quotedPcrs: policy.pcrs,
      unattested: createUnattestedList(MAX_UNATTESTED),
      accounts: accountFiles(folder.path),
      pairingBase: options.pairingBase ?? null,
      doorbells: createDoorbells(MAX_HELD_POLLS),
      limits: {
        machines: MAX_MACHINES,
        outstandingEnrolments: MAX_OUTSTANDING_ENROLMENTS,
        verifications: options.verifications ?? VERIFICATION_LIMITS,
        pairings: PAIRING_LIMITS,
      },
      nextAttestationMs: NEXT_ATTESTATION_MS,
      log: options.log,
    };
    closers.push(sweeping(context));
    const limits = { rate: options.rate ?? RATE, connections: MAX_CONNECTIONS };
    const app = await createServer(context, limits, options.verifierPage ?? null);
    closers.push(async () => app.close());
    const port = await listen(app, options.listen);
    return {
      url: urlOf({ host: options.listen.host, port }),
      brokerId: identity.brokerId,
      dataFolder: folder.path,
      images: referenceValues.map(({ image }) => `${image.name} ${image.version}`),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Evidence that nobody collects must go, also when nobody asks for more. Returns its end. */
function sweeping({ db, now, log }: BrokerContext): () => Promise<void> {
  let last: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    last = sweepVerifications(db, now()).catch((error: unknown) => log(`sweeping failed: ${describeError(error)}`));
  }, SWEEP_MS);
  return async () => {
    clearInterval(timer);
    await last;
  };
}

function openDatabase(url: string | null, folder: DataFolder): Promise<Database> {
  return url === null ? openPglite(join(folder.path, 'database')) : openPostgres(url);
}

async function listen(app: Awaited<ReturnType<typeof createServer>>, address: ListenAddress): Promise<number> {
  try {
    await app.listen({ host: address.host, port: address.port });
  } catch (cause) {
    throw listenFailed(address, cause);
  }
  const bound = app.server.address();
  return typeof bound === 'object' && bound !== null ? bound.port : address.port;
}
