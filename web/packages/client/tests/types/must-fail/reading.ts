import type { Client } from "@vagus/client";

declare const client: Client;

client.subscribe("weather").latest.get()?.data.fahrenheit; // TS2339
client.subscribe("weather").latest.get().data; // TS2532
client.subscribe("undeclared").latest.get()?.data.anything; // TS2571
client.subscribe("weather").messages.get().push(); // TS2339
client.subscribe("weather").messages.get()[0].data; // TS2532
client.status.get().state = "connected"; // TS2540
client.status.get().state === "offline"; // TS2367
client.subscribe("weather").listen((message) => message.data); // TS2339
