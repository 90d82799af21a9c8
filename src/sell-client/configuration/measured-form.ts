/**
 * What of a configuration is measured and shown to verifiers: the file byte for byte, but without its Wi-Fi part. Evidence
 * goes to the broker, to buyers and into published reports; the name and the key of somebody's home network must not.
 */
export const WITHHELD = 'withheld';

/** A file that cannot be read, or has no such part, is its own measured form. */
export function measuredForm(file: Uint8Array): Uint8Array {
  const value = readObject(file);
  if (value === null || !Object.hasOwn(value, 'wifi')) return file;
  return new TextEncoder().encode(JSON.stringify({ ...value, wifi: WITHHELD }));
}

function readObject(file: Uint8Array): object | null {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(file));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}
