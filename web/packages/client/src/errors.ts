/**
 * Everything that is thrown or rejected with, in one tree, by whose doing it is:
 *
 *     VagusError
 *     ├─ RequestError          the server refused; `code` says why, `temporary` whether it may succeed later
 *     │  ├─ CallError          … a call, or to read history or presence
 *     │  └─ PublishError       … a publication
 *     ├─ ConnectionError       there is no connection, and none is in sight; `code` says why
 *     ├─ TimeoutError          nothing came in time
 *     ├─ QueueFullError        too much waits for the connection already
 *     ├─ TooLargeError         more than the server takes in one message
 *     ├─ ClosedError           the client was closed
 *     └─ UnauthorizedError     for your `getToken` to throw: there will be no token, so do not try again
 *
 * An aborted request rejects with its signal's reason. Wrong options are `TypeError` and `RangeError`, as usual.
 */

export class VagusError extends Error {
  override readonly name: string = "VagusError";
}

export class RequestError extends VagusError {
  override readonly name: string = "RequestError";
  /** The number of the refusal; see `Codes`. */
  readonly code: number;
  readonly temporary: boolean;

  constructor(message: string, code: number, temporary: boolean) {
    super(message);
    this.code = code;
    this.temporary = temporary;
  }
}

export class CallError extends RequestError {
  override readonly name = "CallError";
}

export class PublishError extends RequestError {
  override readonly name = "PublishError";
}

export class ConnectionError extends VagusError {
  override readonly name = "ConnectionError";
  readonly code: number;

  constructor(message: string, code: number) {
    super(message);
    this.code = code;
  }
}

export class TimeoutError extends VagusError {
  override readonly name = "TimeoutError";
}

export class QueueFullError extends VagusError {
  override readonly name = "QueueFullError";
}

export class TooLargeError extends VagusError {
  override readonly name = "TooLargeError";
}

export class ClosedError extends VagusError {
  override readonly name = "ClosedError";
}

export class UnauthorizedError extends VagusError {
  override readonly name = "UnauthorizedError";
}
