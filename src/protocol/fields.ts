/** The few kinds of fields that all messages are made of. */
import * as Type from 'typebox';

/** Upper bounds in base64 characters: room for the largest real logs (1 MB seen), no more. */
export const base64 = (maxBytes: number) =>
  Type.String({ pattern: '^[A-Za-z0-9+/]*={0,2}$', maxLength: 4 * Math.ceil(maxBytes / 3) });
export const hex = (bytes: number) => Type.String({ pattern: `^[0-9a-f]{${2 * bytes}}$` });
export const strict = { additionalProperties: false } as const;
