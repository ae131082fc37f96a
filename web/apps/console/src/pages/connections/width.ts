/** How wide an element is, for what CSS alone cannot decide: which columns a table has. */

import { type RefObject, useLayoutEffect, useState } from "react";

/** Its content's width in pixels, from before the first painting on. */
export function useWidth(element: RefObject<HTMLElement | null>): number {
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const watched = element.current;
    if (watched === null) return;
    setWidth(watched.clientWidth);
    const observer = new ResizeObserver(() => setWidth(watched.clientWidth));
    observer.observe(watched);
    return () => observer.disconnect();
  }, [element]);
  return width;
}
