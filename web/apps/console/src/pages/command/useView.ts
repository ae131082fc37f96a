/** How the page is looked at, as its address says: the range of the charts, and whether the view is frozen. */

import { useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo } from "react";
import { DEFAULT_RANGE, type Range, rangeFrom, textOf } from "../../charts/ranges.js";
import type { CommandSearch } from "./search.js";

export interface View {
  readonly range: Range;
  /** The back button goes to the range before. */
  readonly setRange: (range: Range) => void;
  readonly isPaused: boolean;
  readonly setPaused: (isPaused: boolean) => void;
}

/** With what belongs to the shell. */
interface Address extends CommandSearch {
  readonly kiosk?: true;
}

export function useView(): View {
  const { range, paused } = useSearch({ from: "/" });
  const navigate = useNavigate({ from: "/" });
  return useMemo(() => {
    const change = (part: (address: Address) => Address, replace: boolean): void => {
      void navigate({ search: part, replace, resetScroll: false });
    };
    return {
      range: rangeFrom(range),
      isPaused: paused === 1,
      setRange: (next) => {
        const text = textOf(next);
        change(({ range: _, ...rest }) => (text === DEFAULT_RANGE ? rest : { ...rest, range: text }), false);
      },
      setPaused: (isPaused) => {
        change(({ paused: _, ...rest }) => (isPaused ? { ...rest, paused: 1 } : rest), true);
      },
    };
  }, [range, paused, navigate]);
}
