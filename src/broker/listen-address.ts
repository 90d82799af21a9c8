/** `--listen HOST:PORT`, `--pairing-url`, and what a failed listen means. */
import { isIP } from 'node:net';
import { StartError } from './errors.ts';

export interface ListenAddress {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
}

/** `127.0.0.1:42007`, `[::1]:42007`, `localhost:0`. @throws StartError LISTEN_BAD */
export function parseListenAddress(text: string): ListenAddress {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9.-]+)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2] ?? '';
  const port = Number(match?.[3] ?? Number.NaN);
  const bracketed = match?.[1] !== undefined;
  if (match === null || !(port <= 65535) || (bracketed && isIP(host) !== 6)) {
    throw new StartError('LISTEN_BAD', `not an address to listen on: ${JSON.stringify(text)}`, {
      nextStep: 'give HOST:PORT, for instance --listen 127.0.0.1:42007 or --listen "[::]:42007"',
    });
  }
  return { host, port };
}

/** `https://pair.example.org`, without the last slash. @throws StartError PAIRING_URL_BAD */
export function parsePairingBase(text: string): string {
  const base = text.replace(/\/+$/, '');
  if (/^https:\/\/[A-Za-z0-9.:[\]-]{1,200}(\/[A-Za-z0-9._/-]{0,80})?$/.test(base) && URL.canParse(base)) return base;
  throw new StartError('PAIRING_URL_BAD', `not an address of a pairing page: ${JSON.stringify(text.slice(0, 100))}`, {
    nextStep:
      "give what stands before /pair in the sellers' address, for instance --pairing-url https://pair.example.org",
  });
}

export function urlOf({ host, port }: ListenAddress): string {
  return `https://${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
}

export function listenFailed(address: ListenAddress, cause: unknown): StartError {
  const at = `${address.host}:${address.port}`;
  if ((cause as NodeJS.ErrnoException).code === 'EADDRINUSE') {
    return new StartError('PORT_TAKEN', `port ${address.port} on ${address.host} is taken by another program`, {
      nextStep: `see which: ss -ltnp "sport = :${address.port}"; stop it, or choose another port with --listen ${address.host}:PORT`,
    });
  }
  return new StartError('LISTEN_FAILED', `the broker cannot listen on ${at}`, {
    cause,
    nextStep: 'choose an address of this computer and a port above 1023 with --listen HOST:PORT',
  });
}
