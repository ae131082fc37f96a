/** Live data from a Vagus hub; `createClient` is where to begin. */

export type * from "./types.js";
