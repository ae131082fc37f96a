/** The wall display: the page alone, as its address says, and larger; and the way out of it. */

import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback } from "react";

export interface Wall {
  readonly isWall: boolean;
  readonly leave: () => void;
}

export function useWall(): Wall {
  const { kiosk = false } = useSearch({ from: "__root__" });
  const navigate = useNavigate();
  const leave = useCallback(() => void navigate({ to: ".", search: toggledWall as never }), [navigate]);
  return { isWall: kiosk, leave };
}

/** The page's own search stays; its type is that of whatever page this is, which no type says. */
export function toggledWall({ kiosk, ...rest }: { readonly kiosk?: true }): object {
  return kiosk ? { ...rest, kiosk: undefined } : { ...rest, kiosk: true };
}
