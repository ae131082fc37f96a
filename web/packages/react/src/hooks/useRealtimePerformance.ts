/** The client's own figures. */

import type { Figures } from "@vagus/client";
import { useProvided } from "../context.js";
import { all, useTracked } from "./useSelected.js";

/**
 * Renewed once a second; the component renders when a figure changes that it reads.
 *
 * ```tsx
 * const { rate, latency } = useRealtimePerformance();
 * ```
 */
export function useRealtimePerformance(): Figures {
  return useTracked(useProvided().client.figures, all);
}
