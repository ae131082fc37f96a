import type { Client, ClientOptions } from "@vagus/client";

declare const client: Client;

export const unknownOption: ClientOptions = { endpoint: "https://live.example.com" }; // TS2353
export const tokenOfSomethingElse: ClientOptions = { token: 5 }; // TS2322
export const tokenThatIsNotFetched: ClientOptions = { getToken: () => "token" }; // TS2322
export const transportThatIsNotThere: ClientOptions = { transports: ["websocket", "carrier-pigeon"] }; // TS2322
export const undefinedOption: ClientOptions = { token: undefined }; // TS2375
export const fullQueue: ClientOptions = { queue: { whenFull: "drop-newest" } }; // TS2322
client.subscribe("plain", { deliver: "newest" }); // TS2322
client.subscribe("plain", { tags: ["size", "about", "10"] }); // TS2322
client.subscribe("plain", { tags: ["region", "in", "north"] }); // TS2322
client.subscribe("plain", { since: 5 }); // TS2322
client.preferences.set({ refreshEvery: "often" }); // TS2322
