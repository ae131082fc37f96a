/**
 * What the snippets of the pages about the SDKs take for granted: the names that a page has introduced before.
 */

import type * as sdk from "@vagus/client";
import type * as react from "@vagus/react";
import type { ReactNode } from "react";

declare module "@vagus/client" {
  interface Channels {
    "gauge:cpu": { readonly load: number };
    readings: { readonly number: number; readonly values: readonly number[] };
  }
}

declare global {
  const client: sdk.Client;
  const clock: sdk.Subscription;
  const createClient: typeof sdk.createClient;
  const Codes: typeof sdk.Codes;
  const PublishError: typeof sdk.PublishError;
  const UnauthorizedError: typeof sdk.UnauthorizedError;
  function loadEverything(): void;

  const Age: typeof react.Age;
  const useCall: typeof react.useCall;
  const useChannel: typeof react.useChannel;
  const useRealtimeActivityFeed: typeof react.useRealtimeActivityFeed;
  const useRealtimeChartData: typeof react.useRealtimeChartData;
  const useRealtimeMetrics: typeof react.useRealtimeMetrics;
  function Plot(properties: { x: Float64Array; y: Float64Array | undefined }): ReactNode;
}
