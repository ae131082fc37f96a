/** Live data from a Vagus hub; `createClient` is where to begin. */

export { createClient } from "./client.js";
export {
  CallError,
  ClosedError,
  ConnectionError,
  PublishError,
  QueueFullError,
  RequestError,
  TimeoutError,
  TooLargeError,
  UnauthorizedError,
  VagusError,
} from "./errors.js";
export { type Code, Codes } from "./generated/codes.js";
export type * from "./generated/messages.js";
export type * from "./types.js";
