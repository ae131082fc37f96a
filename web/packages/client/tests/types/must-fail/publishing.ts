import type { Client, Subscription } from "@vagus/client";
import type { Order } from "../declared.js";

declare const client: Client;
declare const orders: Subscription<Order>;

client.publish("orders:7", { id: "7", state: "open" }); // TS2322
client.publish("orders:7", { id: 7 }); // TS2741
client.publish("orders:7"); // TS2554
client.publish("orders:7", { id: 7, state: "open", colour: "red" }); // TS2353
orders.publish({ id: 7, state: "lost" }); // TS2322
client.publish("plain", 1, { tags: { size: 1 } }); // TS2322
client.publish("plain", 1, { timeOut: 5 }); // TS2561
client.send("note", new Date()); // TS2345
client.send("note", { when: () => 1 }); // TS2345
