/**
 * What happened to a connection or a subscription, in words that tell a person what to do about it.
 *
 * The numbers are the server's (`Codes`), those below 100 this side's (`Local`). What the server said itself is shown
 * where there are no better words.
 */

const SIGN_IN = "The sign-in is not valid, or no longer. Sign in again.";
const RUN_OUT = "The sign-in has run out.";
const FAULT = "The server has a fault.";
const BUSY = "The server is busy.";
const MISMATCH =
  "This program and the server do not understand each other. Reload the page, or update the program.";
const CHANNELS = "Too many channels are followed.";
const FORBIDDEN = "You may not connect here.";

const CONNECTION: Readonly<Record<number, string>> = {
  1: "The server does not answer.",
  2: "The server cannot be reached. Check the network.",
  5: "A message was larger than the server takes.",
  100: FAULT,
  101: SIGN_IN,
  103: FORBIDDEN,
  109: RUN_OUT,
  111: BUSY,
  120: BUSY,
  3001: "The server is being stopped or updated.",
  3004: FAULT,
  3005: RUN_OUT,
  3008: "This connection was too slow to keep up.",
  3012: "The connection went silent.",
  3013: BUSY,
  3500: SIGN_IN,
  3501: MISMATCH,
  3504: "There are too many connections. Close other windows.",
  3505: CHANNELS,
  3506: MISMATCH,
  3507: FORBIDDEN,
};

const CHANNEL: Readonly<Record<number, string>> = {
  2: "Waiting for the connection.",
  102: "There is no such channel.",
  103: "You may not follow this channel.",
  106: CHANNELS,
  109: RUN_OUT,
  2000: "The server ended the subscription.",
};

const COMMON: Readonly<Record<number, string>> = {
  0: "",
  3: "No token could be fetched",
  4: "The sign-in was refused",
};

export function connectionReason(code: number, said = ""): string {
  return CONNECTION[code] ?? otherwise(code, said);
}

export function channelReason(code: number, said = ""): string {
  return CHANNEL[code] ?? otherwise(code, said);
}

function otherwise(code: number, said: string): string {
  const known = COMMON[code];
  if (known === "") return known;
  const detail = said.trim().replace(/\.$/, "");
  if (known !== undefined) return detail === "" ? `${known}.` : `${known}: ${detail}.`;
  return detail === "" ? `The server gave the number ${code} as the reason.` : `The server says: ${detail}.`;
}
