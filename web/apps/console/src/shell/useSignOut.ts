/** Signing out, and saying so when that did not work: whoever walks away must not believe that it did. */

import { useToasts } from "@vagus/react";
import { useCallback } from "react";
import { signOut } from "../session.js";

export function useSignOut(): () => void {
  const { add } = useToasts();
  return useCallback(() => {
    signOut().catch((error: Error) =>
      add({ title: "You are still signed in", message: error.message, severity: "error", key: "sign-out" }),
    );
  }, [add]);
}
