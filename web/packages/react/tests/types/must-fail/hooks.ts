import { useCall, useChannel, usePublish, useRealtimeMetrics, useToasts, useWebSocket } from "@vagus/react";

useChannel("orders:7").latest?.data.colour; // TS2339
useChannel("orders:7").latest.data; // TS2532
useChannel("orders:7", { throttle: "1s" }); // TS2769
useRealtimeMetrics("orders:7", { select: (order) => order.colour }); // TS2339
usePublish("orders:7").publish({ id: "7", state: "open" }); // TS2322
useCall("orders.close").call(); // TS2554
useCall("orders.close").call({ order: 7 }); // TS2353
useCall("orders.close").result?.colour; // TS2339
useWebSocket("ada").on("Shipped", (payload) => payload.colour); // TS2339
useWebSocket("ada").send("note", new Date()); // TS2345
useToasts().add({ message: "no title" }); // TS2741
useToasts().add({ title: "loud", severity: "alarming" }); // TS2322
