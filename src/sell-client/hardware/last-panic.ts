/**
 * Why the machine's last run ended in a kernel panic: no program runs then that could show a code, but the kernel keeps the
 * end of its log where pstore can: in UEFI's NVRAM (efi_pstore), a server's error store (erst), else in memory set aside
 * (ramoops). It is read at the next start and erased. Whoever can write there can write this too, so it is shown to the seller
 * and believed by nobody.
 */
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** One file of the pstore file system: a log, or a part of it. */
export interface PanicRecord {
  readonly name: string;
  /** When the kernel wrote it, by the machine's clock. */
  readonly atSeconds: number;
  readonly text: string;
}

export interface LastPanic {
  /** The kernel's words after `Kernel panic - not syncing:`, and of the fault that led to it. Printable ASCII. */
  readonly reason: string;
  /** Names of its records, and of those of panics of this kernel before it. */
  readonly records: readonly string[];
}

/** A log of the kernel comes in parts of about 2 KiB from NVRAM, as one from memory. */
const MOST_RECORDS = 64;
const MOST_BYTES = 64 * 1024;
const MOST_SHOWN = 120;

/**
 * Takes the record of a panic out of where it waited; null where there is none. A record of another system that this machine
 * runs otherwise, told by its kernel's release, stays for that system.
 */
export async function takeLastPanic(pstore: string, kernelRelease: string): Promise<LastPanic | null> {
  const panic = findLastPanic(await newestRecords(pstore), kernelRelease);
  // What is not let go of is told again at the next start.
  for (const name of panic?.records ?? []) await rm(join(pstore, name), { force: true }).catch(() => undefined);
  return panic;
}

/** By backend and its own number. */
const NAME = /^dmesg-[a-z_]+-\d+$/;

async function newestRecords(pstore: string): Promise<PanicRecord[]> {
  const names = (await readdir(pstore).catch(() => [])).filter((name) => NAME.test(name));
  const found = await Promise.all(
    names.map(async (name) => {
      const status = await stat(join(pstore, name)).catch(() => null);
      return status === null || status.size > MOST_BYTES
        ? []
        : [{ name, atSeconds: Math.floor(status.mtimeMs / 1000) }];
    }),
  );
  const newest = found.flat().sort(byTime).slice(-MOST_RECORDS);
  return Promise.all(
    newest.map(async (one) => ({ ...one, text: await readFile(join(pstore, one.name), 'latin1').catch(() => '') })),
  );
}

const SAME_RUN_SECONDS = 15;
/** `Panic#2 Part1`: the how manieth dump of its run, and which part of it. */
const HEADER = /^(?:Panic|Oops)#(\d+) Part(\d+)\n/;
const PANIC = /Kernel panic - not syncing: ([^\n]*)/g;
/** What the kernel says first of a fault; `Oops: Oops: 0002 [#1]` after it says no more. */
const FAULT = /(?:BUG: |kernel BUG at |(?<!Oops: )Oops: (?!Oops: ))[^\n]*/g;

export function findLastPanic(records: readonly PanicRecord[], kernelRelease: string): LastPanic | null {
  const runs = byRun(records.flatMap(parsed)).map((parts) => ({ parts, log: logOf(parts) }));
  const own = runs.filter(({ log }) => log.includes(` ${kernelRelease} #`) && log.search(PANIC) !== -1);
  const last = own.at(-1);
  if (last === undefined) return null;
  const words = [...last.log.matchAll(PANIC)].at(-1)?.[1] ?? '';
  const fault = [...last.log.matchAll(FAULT)].at(-1)?.[0];
  const reason = fault === undefined ? words : `${words} (${fault})`;
  return { reason: shown(reason), records: own.flatMap(({ parts }) => parts.map(({ name }) => name)) };
}

interface Part extends PanicRecord {
  readonly dump: number;
  readonly part: number;
}

function parsed(record: PanicRecord): Part[] {
  const [header, dump, part] = HEADER.exec(record.text) ?? [];
  if (header === undefined) return [];
  return [{ ...record, dump: Number(dump), part: Number(part), text: record.text.slice(header.length) }];
}

/** A run that ends writes all its parts within seconds. Oldest first. */
function byRun(parts: readonly Part[]): Part[][] {
  const runs: Part[][] = [];
  for (const part of [...parts].sort(byTime)) {
    const run = runs.at(-1);
    const before = run?.at(-1)?.atSeconds ?? Number.NEGATIVE_INFINITY;
    if (run !== undefined && part.atSeconds - before <= SAME_RUN_SECONDS) run.push(part);
    else runs.push([part]);
  }
  return runs;
}

function byTime(a: { readonly atSeconds: number }, b: { readonly atSeconds: number }): number {
  return a.atSeconds - b.atSeconds;
}

/** Oldest lines first. */
function logOf(parts: readonly Part[]): string {
  const ordered = [...parts].sort((a, b) => a.dump - b.dump || b.part - a.part);
  return ordered.map(({ text }) => text).join('\n');
}

function shown(text: string): string {
  const clean = text.replace(/[^\x20-\x7e]/g, '?').trim();
  return clean.length > MOST_SHOWN ? `${clean.slice(0, MOST_SHOWN - 3)}...` : clean;
}
