import type { Client } from "@vagus/client";

declare const client: Client;

client.call("orders.close"); // TS2554
client.call("orders.close", { id: "7" }); // TS2322
client.call("orders.close", { order: 7 }); // TS2353
client.call("now", { zone: "UTC" }); // TS2345
client.call("now").then((time) => time.getTime()); // TS2339
client.call("undeclared").then((result) => result.length); // TS18046
client.call("now", undefined, { signal: new AbortController() }); // TS2740
