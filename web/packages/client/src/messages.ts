/** From the protocol's publications and members to ours. */

import type { WireMember, WirePublication } from "./session.js";
import type { Member, Message } from "./types.js";

const NO_TAGS: Readonly<Record<string, string>> = Object.freeze({});

export function messageOf(
  channel: string,
  publication: WirePublication,
  data: unknown,
  receivedAt: number,
): Message {
  const { offset = 0, tags = NO_TAGS, info } = publication;
  return { channel, data, offset, tags, publisher: info === undefined ? null : memberOf(info), receivedAt };
}

export function memberOf({ client, user, conn_info: connInfo, chan_info: chanInfo }: WireMember): Member {
  return { client, user, connInfo, chanInfo };
}
