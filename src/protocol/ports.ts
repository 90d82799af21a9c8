/** The broker's one TCP port: fixed and unusual, so that a network owner can allow or block it by number. */
export const BROKER_PORT = 42007;
