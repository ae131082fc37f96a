import { fireEvent, render, screen } from "@testing-library/react";
import { createClient } from "@vagus/client";
import { Activity, type ReactNode, StrictMode, useEffect, useState } from "react";
import { describe, expect, onTestFinished, test } from "vitest";
import {
  useCall,
  usePreferences,
  usePublish,
  useRealtime,
  useRealtimeConnection,
  useRealtimePerformance,
  useRealtimeSubscriptions,
  useWebSocket,
} from "../src/index.js";
import { cut, fresh, present, renderWith, until, withServer } from "./harness.js";

const hub = withServer();

describe("useRealtime", () => {
  test("keeps its functions over changes of the connection", async () => {
    const seen = new Set<unknown>();
    function Page(): ReactNode {
      const { status, publish, call, send, connect, disconnect, retry } = useRealtime();
      for (const action of [publish, call, send, connect, disconnect, retry]) seen.add(action);
      return (
        <button type="button" onClick={status.state === "connected" ? disconnect : connect}>
          {status.state}
        </button>
      );
    }
    renderWith(hub.client, <Page />);
    fireEvent.click(await screen.findByText("connected"));
    fireEvent.click(await screen.findByText("disconnected"));
    await screen.findByText("connected");
    expect(seen.size).toBe(6);
  });
});

describe("useRealtimeConnection", () => {
  test("renders when what is read changes, and not for each message", async () => {
    let renders = 0;
    let age: (() => number | null) | undefined;
    function State(): ReactNode {
      renders++;
      const connection = useRealtimeConnection();
      age = connection.age;
      return <p>{connection.isConnected ? "connected" : "away"}</p>;
    }
    function Last(): ReactNode {
      const at = useRealtimeConnection(({ lastMessageAt }) => lastMessageAt);
      return <p>{at === null ? "nothing yet" : "something came"}</p>;
    }
    renderWith(
      hub.client,
      <>
        <State />
        <Last />
      </>,
    );
    await screen.findByText("nothing yet");
    expect(present(age)()).toBeNull();
    await hub.client.call("tell", { type: "note", payload: 1 });
    await screen.findByText("something came");
    expect(present(age)()).toBeGreaterThanOrEqual(0);
    expect(renders).toBe(1);
    hub.client.disconnect();
    await screen.findByText("away");
    expect(renders).toBe(2);
  });

  test("says why and until when while it is made again", async () => {
    const other = await hub.connect();
    const states: string[] = [];
    function State(): ReactNode {
      const { state, attempt } = useRealtimeConnection();
      states.push(`${state} ${attempt > 0}`);
      return null;
    }
    renderWith(hub.client, <State />);
    await cut(hub.client, other);
    await until(
      () => states.at(-1) === "connected false" && states.some((state) => state.startsWith("connecting")),
    );
  });
});

test("useRealtimeSubscriptions tells of each channel and how it does", async () => {
  const channel = fresh("plain");
  function Channels(): ReactNode {
    const channels = useRealtimeSubscriptions((all) =>
      [...all].map(([name, { state }]) => `${name} ${state}`),
    );
    return <p>{channels.join(", ") || "none"}</p>;
  }
  renderWith(hub.client, <Channels />);
  await screen.findByText("none");
  const view = hub.client.subscribe(channel);
  await screen.findByText(`${channel} subscribed`);
  view.close();
  await screen.findByText("none");
});

test("useRealtimePerformance renders for the figures that are read", async () => {
  const channel = fresh("plain");
  let renders = 0;
  function Received(): ReactNode {
    return <p>{useRealtimePerformance().received} received</p>;
  }
  function Reconnections(): ReactNode {
    renders++;
    return <p>{useRealtimePerformance().reconnections} reconnections</p>;
  }
  const view = hub.client.subscribe(channel, { throttle: 0 });
  renderWith(
    hub.client,
    <>
      <Received />
      <Reconnections />
    </>,
  );
  await until(() => view.status.get().state === "subscribed");
  for (let n = 0; n < 3; n++) await hub.client.publish(channel, n);
  await screen.findByText((_, element) => element?.textContent === "3 received");
  expect(renders).toBe(1);
});

test("usePreferences changes what the client holds", async () => {
  function Quiet(): ReactNode {
    const { preferences, set, reset } = usePreferences();
    return (
      <button
        type="button"
        onClick={() => (preferences.notifications ? set({ notifications: false }) : reset())}
      >
        {preferences.notifications ? "loud" : "quiet"}
      </button>
    );
  }
  renderWith(hub.client, <Quiet />);
  fireEvent.click(screen.getByText("loud"));
  fireEvent.click(await screen.findByText("quiet"));
  await screen.findByText("loud");
  expect(hub.client.preferences.get().notifications).toBe(true);
});

describe("useCall", () => {
  function Adder({ method, request }: { readonly method: string; readonly request: unknown }): ReactNode {
    const { call, pending, error, result } = useCall(method);
    return (
      <button type="button" onClick={() => void call(request)}>
        {pending ? "pending" : (error?.message ?? String(result ?? "idle"))}
      </button>
    );
  }

  test("gives the result", async () => {
    renderWith(hub.client, <Adder method="add" request={[1, 2, 3]} />);
    fireEvent.click(screen.getByText("idle"));
    await screen.findByText("pending");
    await screen.findByText("6");
  });

  test("gives the error, and rejects nothing", async () => {
    renderWith(hub.client, <Adder method="fail" request={{ code: 4242, message: "no such order" }} />);
    fireEvent.click(screen.getByText("idle"));
    await screen.findByText(/no such order/);
  });

  test("is given up when the component is unmounted", async () => {
    let settled: unknown = "never";
    function Waiter(): ReactNode {
      const { call } = useCall("wait");
      useEffect(() => {
        void call(60).then((result) => {
          settled = result;
        });
      }, [call]);
      return null;
    }
    const { unmount } = renderWith(hub.client, <Waiter />);
    unmount();
    await until(() => settled === undefined);
  });
});

test("usePublish is pending without a connection, and gives the receipt after it", async () => {
  const channel = fresh("kept");
  function Publisher(): ReactNode {
    const { publish, pending, result } = usePublish(channel);
    return (
      <button type="button" onClick={() => void publish("hello")}>
        {pending ? "pending" : `offset ${result?.offset ?? "none"}`}
      </button>
    );
  }
  hub.client.disconnect();
  renderWith(hub.client, <Publisher />);
  fireEvent.click(screen.getByText("offset none"));
  await screen.findByText("pending");
  hub.client.connect();
  await screen.findByText("offset 1");
});

describe("useWebSocket", () => {
  function Alerts(): ReactNode {
    const { isConnected, on, send } = useWebSocket("ada", { url: hub.server.webSocketUrl });
    const [title, setTitle] = useState("none");
    useEffect(() => on("Alert", (alert) => setTitle(alert.title)), [on]);
    return (
      <button type="button" onClick={() => void send("note", "from ada")}>
        {isConnected ? title : "away"}
      </button>
    );
  }

  /** The sockets that are opened from now on. */
  function countSockets(): readonly WebSocket[] {
    const sockets: WebSocket[] = [];
    const { WebSocket: Plain } = globalThis;
    globalThis.WebSocket = class extends Plain {
      constructor(url: string | URL, protocols?: string | string[]) {
        super(url, protocols);
        sockets.push(this);
      }
    };
    onTestFinished(() => {
      globalThis.WebSocket = Plain;
    });
    return sockets;
  }

  test("hears the events of its type, and sends some, over the provider's connection", async () => {
    renderWith(hub.client, <Alerts />);
    await screen.findByText("none");
    await hub.client.call("tell", { type: "Other", payload: { title: "not this" } });
    await hub.client.call("tell", { type: "Alert", payload: { title: "disk full" } });
    fireEvent.click(await screen.findByText("disk full"));
    await until(async () => ((await hub.client.call("notes")) as unknown[]).includes("from ada"));
  });

  test("has a connection of its own without a provider, one for all, closed after the last", async () => {
    const sockets = countSockets();
    const { unmount } = render(
      <StrictMode>
        <Alerts />
        <Alerts />
      </StrictMode>,
    );
    await until(() => screen.queryAllByText("none").length === 2);
    expect(sockets).toHaveLength(1);
    unmount();
    await until(() => sockets[0]?.readyState === WebSocket.CLOSED);
  });

  test("connects anew when it is shown again after it was hidden for long", async () => {
    const sockets = countSockets();
    const alerts = <Alerts />;
    const { rerender } = render(<Activity>{alerts}</Activity>);
    await screen.findByText("none");
    rerender(<Activity mode="hidden">{alerts}</Activity>);
    await until(() => sockets[0]?.readyState === WebSocket.CLOSED);
    rerender(<Activity>{alerts}</Activity>);
    await until(() => sockets[1]?.readyState === WebSocket.OPEN);
    await screen.findByText("none");
  });

  test("stays away until it is told to connect", async () => {
    const client = createClient(hub.options);
    function Later(): ReactNode {
      const { isConnected, connect } = useWebSocket("ada", { autoConnect: false });
      return (
        <button type="button" onClick={connect}>
          {isConnected ? "connected" : "away"}
        </button>
      );
    }
    renderWith(client, <Later />);
    fireEvent.click(screen.getByText("away"));
    await screen.findByText("connected");
    client.close();
  });
});
