/** In how many columns cards stand, so that no row has many more than another. */

import { type RefObject, useLayoutEffect, useState } from "react";

/** As few rows as there have to be with `most` columns, and in these as few columns as will do: 5 are 3 and 2, not 4 and 1. */
export function columnsFor(count: number, most: number): number {
  const rows = Math.ceil(count / Math.max(1, most));
  return Math.max(1, Math.ceil(count / Math.max(1, rows)));
}

/** How narrow a card may be, in `rem`. */
const LEAST_REM = 16.5;
/** Phones have two columns of narrower cards. */
const LEAST_NARROW_REM = 9.5;
const NARROW_REM = 34;

/** The columns for `count` cards in an element, whenever its width is another one. */
export function useColumns(element: RefObject<HTMLElement | null>, count: number): number {
  const [most, setMost] = useState(1);
  useLayoutEffect(() => {
    if (element.current === null) return;
    const measure = ({ clientWidth }: Element): void => {
      const rem = Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
      const least = (clientWidth < NARROW_REM * rem ? LEAST_NARROW_REM : LEAST_REM) * rem;
      const gap = Number.parseFloat(getComputedStyle(element.current ?? document.body).columnGap) || 0;
      setMost(Math.max(1, Math.floor((clientWidth + gap) / (least + gap))));
    };
    measure(element.current);
    const observer = new ResizeObserver(([entry]) => entry && measure(entry.target));
    observer.observe(element.current);
    return () => observer.disconnect();
  }, [element]);
  return columnsFor(count, most);
}
