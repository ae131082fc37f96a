/** The waiting room in Vue: two stores of the client as refs, and two calls behind buttons. The template is the page's. */

import { createClient } from "@vagus/client";
import { computed, createApp, onScopeDispose, ref } from "vue";
import { useStore } from "./stores";
import "../style.css";

interface Room {
  readonly called: number;
  readonly taken: number;
}

declare module "@vagus/client" {
  interface Channels {
    room: Room;
  }
  interface Calls {
    "room.take": { request: null; result: number };
    "room.next": { request: null; result: Room };
  }
}

const client = createClient({ url: new URL("/connection", location.href) });
client.connect();

createApp({
  setup() {
    const following = client.subscribe("room", { throttle: 0, keep: 1, since: { offset: 0, epoch: "" } });
    onScopeDispose(() => following.close());
    const latest = useStore(following.latest);
    const number = ref(0);
    const trouble = ref("");

    async function attempt(work: () => Promise<unknown>): Promise<void> {
      trouble.value = "";
      try {
        await work();
      } catch (error) {
        trouble.value = String(error instanceof Error ? error.message : error);
      }
    }

    return {
      status: useStore(client.status),
      room: computed(() => latest.value?.data ?? { called: 0, taken: 0 }),
      number,
      trouble,
      take: () =>
        attempt(async () => {
          number.value = await client.call("room.take");
        }),
      callNext: () => attempt(() => client.call("room.next")),
    };
  },
}).mount("#app");
