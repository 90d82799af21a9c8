/** An event with its meaning and whether its digest proves that: only `bound` fields may reach a claim. */
import type { AttestCrypto, HashName } from '../crypto/crypto.ts';
import { type BoundBy, bindingOf } from './binding.ts';
import { detailOf, type EventDetail } from './detail.ts';
import type { UntrustedEvent } from './untrusted-event.ts';

export type { BoundBy } from './binding.ts';
export type { EventDetail } from './detail.ts';

export type DecodedEvent = { readonly event: UntrustedEvent; readonly detail: EventDetail } & (
  | { readonly trust: 'bound'; readonly boundBy: BoundBy }
  | { readonly trust: 'unproven'; readonly boundBy?: null }
);

type Crypto = Pick<AttestCrypto, 'hash'>;

/**
 * Never throws: data that does not fit its type is `opaque`. `bank` is the one whose digests are to bind. Meaning and
 * binding are worked out when they are first asked for, so events that nobody asks about cost nothing.
 */
export function decodeEvent(event: UntrustedEvent, bank: HashName, crypto: Crypto): DecodedEvent {
  return new LazyDecodedEvent(event, bank, crypto) as DecodedEvent;
}

class LazyDecodedEvent {
  readonly event: UntrustedEvent;
  readonly #bank: HashName;
  readonly #crypto: Crypto;
  #detail: EventDetail | undefined;
  #boundBy: BoundBy | null | undefined;

  constructor(event: UntrustedEvent, bank: HashName, crypto: Crypto) {
    this.event = event;
    this.#bank = bank;
    this.#crypto = crypto;
  }

  get detail(): EventDetail {
    this.#detail ??= detailOf(this.event);
    return this.#detail;
  }

  get boundBy(): BoundBy | null {
    if (this.#boundBy === undefined) {
      const digest = this.event.digests.get(this.#bank);
      const hash = (data: Uint8Array): Uint8Array => this.#crypto.hash(this.#bank, data);
      this.#boundBy = digest === undefined ? null : bindingOf(this.event, this.detail, digest, hash);
    }
    return this.#boundBy;
  }

  get trust(): 'bound' | 'unproven' {
    return this.boundBy === null ? 'unproven' : 'bound';
  }
}
