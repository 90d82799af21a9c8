/** What iwd's log tells of the connection: pure. The lines that begin with `event:` are made for being read by programs. */

export type WifiProgress =
  | { readonly kind: 'searching' }
  | { readonly kind: 'connecting' }
  | { readonly kind: 'connected' }
  | { readonly kind: 'key-refused' }
  | { readonly kind: 'refused'; readonly detail: string };

/**
 * IEEE 802.11 §9.4.1.7, Table 9-49: previous authentication not valid, MIC failure, 4-way handshake timeout, 802.1X
 * failed. While connecting, each means that the two ends derived different keys.
 */
const KEY_REASONS = [2, 14, 15, 23];
/** §9.4.1.9, Table 9-50: unspecified failure and challenge failure, which is how SAE ends with another password. */
const KEY_STATUSES = [1, 15];

/** `null` when the line says nothing new. */
export function wifiProgress(line: string, before: WifiProgress['kind']): WifiProgress | null {
  const state = /^event: state, old: .*, new: ([a-z_]+)/.exec(line)?.[1];
  if (state !== undefined) return fromState(state, before);
  const handshake = /^4-Way handshake failed for ifindex: \d+, reason: (\d+)/.exec(line);
  if (handshake !== null) return { kind: 'key-refused' };
  const failed = /^event: connect-failed, (status|reason): (\d+)/.exec(line);
  if (failed !== null)
    return fromCode(failed[1] === 'status' ? KEY_STATUSES : KEY_REASONS, failed[1], failed[2], before);
  const sentAway = /^Received Deauthentication event, reason: (\d+)/.exec(line);
  if (sentAway !== null && before === 'connecting') return fromCode(KEY_REASONS, 'reason', sentAway[1], before);
  return null;
}

/** A failure stays told while iwd looks for the network again, until it connects. */
function fromState(state: string, before: WifiProgress['kind']): WifiProgress | null {
  if (state === 'connected' || state === 'roaming') return { kind: 'connected' };
  if (state === 'connecting') return { kind: 'connecting' };
  if (before === 'key-refused' || before === 'refused') return null;
  return { kind: 'searching' };
}

function fromCode(
  ofKeys: readonly number[],
  what = '',
  code = '',
  before: WifiProgress['kind'] = 'searching',
): WifiProgress | null {
  if (ofKeys.includes(Number(code))) return { kind: 'key-refused' };
  // The handshake's own line came first and says more.
  return before === 'key-refused' ? null : { kind: 'refused', detail: `${what} ${code} of IEEE 802.11` };
}
