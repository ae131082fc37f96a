import type { Client } from "@vagus/client";
import { ConnectionDot, RealtimeProvider, RealtimeStatus } from "@vagus/react";

declare const client: Client;

export const bothClientAndOptions = <RealtimeProvider client={client} options={{}} />; // TS2322
export const unknownOption = <RealtimeProvider options={{ endpoint: "https://live.example.com" }} />; // TS2353
export const unknownPlace = <RealtimeStatus placement="middle" />; // TS2322
export const dotOfNothing = <ConnectionDot channel={7} />; // TS2322
