/**
 * Parts of the page that are loaded when somebody first wants them.
 *
 * One that cannot be loaded says so in its place, and is asked for again on a press: what is on the page stays.
 */

import { type ComponentType, createElement, type ReactNode, useEffect, useState } from "react";
import { client } from "../connection.js";

export interface Loaded<P> {
  (props: P): ReactNode;
  /** Never fails: what went wrong is told where the part is drawn. */
  readonly preload: () => Promise<void>;
}

export interface UnloadedProps {
  readonly error: Error;
  readonly retry: () => void;
}

/** ```const SourceDialog = loaded(async () => (await import("./SourceDialog.js")).SourceDialog, Unopened)``` */
export function loaded<P extends object>(
  load: () => Promise<ComponentType<P>>,
  Unloaded: ComponentType<UnloadedProps & P>,
): Loaded<P> {
  let part: ComponentType<P> | undefined;
  const find = async (): Promise<void> => {
    part ??= await load();
  };
  function Part(props: P): ReactNode {
    const [state, setState] = useState<"wanted" | "there" | "failed">(part ? "there" : "wanted");
    useEffect(() => {
      if (state !== "wanted") return;
      find().then(
        () => setState("there"),
        () => setState("failed"),
      );
    }, [state]);
    if (part) return createElement(part, props);
    if (state !== "failed") return null;
    return createElement(Unloaded, { ...props, error: new Error(ADVICE), retry });

    function retry(): void {
      find().then(
        () => setState("there"),
        // Where the server is there but the code is not, it is that of before an update.
        () => client.status.get().state === "connected" && location.reload(),
      );
    }
  }
  return Object.assign(Part, { preload: () => find().catch(() => {}) });
}

const ADVICE = "Its code could not be loaded. Is the server running, and is the network there?";
