/**
 * Disconnecting somebody: what that means, a reason, who is told it, and a typed confirmation, since it cannot be undone.
 */

import { useToasts } from "@vagus/react";
import { type ReactNode, useState } from "react";
import { ConfirmDialog } from "../../ui/Dialog.js";
import { Field, Input, Select } from "../../ui/Field.js";
import { disconnect } from "./asking.js";
import { countOf, partingOf, shortId, userText } from "./words.js";

/** One connection, or all of a user. */
export interface Disconnected {
  /** Empty for all connections of the user. */
  readonly client: string;
  readonly user: string;
  /** The client's; empty for all connections of the user. */
  readonly dialect: string;
}

export interface DisconnectDialogProps {
  readonly whom: Disconnected;
  readonly onClose: () => void;
}

const MOST_BYTES = 123;
/** After 3503 client libraries stay away, after 4000 they come back by themselves. */
const CODES = { stay: 3503, return: 4000 } as const;
const AFTERWARDS = [
  { value: "stay", label: "They stay away" },
  { value: "return", label: "They may reconnect at once" },
] as const;

export function DisconnectDialog({ whom, onClose }: DisconnectDialogProps): ReactNode {
  const { client, user, dialect } = whom;
  const parting = partingOf(dialect);
  const { add } = useToasts();
  const [reason, setReason] = useState("");
  const [afterwards, setAfterwards] = useState<keyof typeof CODES>("stay");
  const isTooLong = new TextEncoder().encode(reason).length > MOST_BYTES;
  const confirm = async (): Promise<void> => {
    if (isTooLong) throw new Error("The reason is too long.");
    const how = { code: CODES[afterwards], reason: reason.trim() || undefined };
    const { disconnected } = await disconnect(client ? { client, ...how } : { user, ...how });
    add({
      severity: "success",
      title: `${countOf(disconnected, "connection")} of ${userText(user)} told to close`,
    });
  };
  return (
    <ConfirmDialog
      open
      onClose={onClose}
      title={client ? `Disconnect ${userText(user)}?` : `Disconnect all connections of ${user}?`}
      typed={user || shortId(client)}
      unsaved={reason.trim() !== ""}
      action="Disconnect"
      onConfirm={confirm}
    >
      <p className="text-muted">
        {client
          ? `The connection ${shortId(client)} is closed now.`
          : "Each of them is closed now, on every node."}{" "}
        This cannot be undone. It does not lock anybody out: whoever has a valid token can connect again.
      </p>
      <Field
        label="Reason"
        hint={parting.reason}
        error={isTooLong && `At most ${MOST_BYTES} bytes; shorten it.`}
      >
        {(control) => (
          <Input
            {...control}
            value={reason}
            placeholder="disconnected by an administrator"
            onChange={({ target }) => setReason(target.value)}
          />
        )}
      </Field>
      <Field label="Afterwards" hint={parting.afterwards}>
        {(control) => (
          <Select {...control} options={AFTERWARDS} value={afterwards} onChange={setAfterwards} />
        )}
      </Field>
    </ConfirmDialog>
  );
}
