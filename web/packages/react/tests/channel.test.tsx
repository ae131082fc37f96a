import { render, screen } from "@testing-library/react";
import { type Client, createClient } from "@vagus/client";
import { Activity, type ReactNode, StrictMode } from "react";
import { describe, expect, test } from "vitest";
import { RealtimeProvider, useChannel, useRealtime } from "../src/index.js";
import { cut, followed, followers, fresh, present, renderWith, until, withServer } from "./harness.js";

const hub = withServer();

function Latest({
  channel,
  history = 0,
}: {
  readonly channel: string;
  readonly history?: number;
}): ReactNode {
  const { latest, status } = useChannel(channel, { throttle: 0, history });
  return <p>{`${status.state} ${JSON.stringify(latest?.data ?? null)}`}</p>;
}

describe("useChannel", () => {
  test("shows what is published", async () => {
    const channel = fresh("plain");
    renderWith(hub.client, <Latest channel={channel} />);
    await screen.findByText("subscribed null");
    await hub.client.publish(channel, { n: 1 });
    await screen.findByText('subscribed {"n":1}');
  });

  test("shares one subscription among components, which ends after the last of them", async () => {
    const channel = fresh("plain");
    const other = await hub.connect();
    const page = (count: number): ReactNode => (
      <RealtimeProvider client={hub.client}>
        {["a", "b"].slice(0, count).map((key) => (
          <Latest key={key} channel={channel} />
        ))}
      </RealtimeProvider>
    );
    const { rerender } = render(page(2));
    await until(async () => (await followers(other, channel)) === 1);
    expect(hub.client.figures.get().subscriptions).toBe(1);
    rerender(page(1));
    await other.publish(channel, 1);
    await screen.findByText("subscribed 1");
    rerender(page(0));
    await until(async () => (await followers(other, channel)) === 0);
    expect(hub.client.subscriptions.get().size).toBe(0);
  });

  test("follows another channel when it is given another", async () => {
    const [one, two] = [fresh("plain"), fresh("plain")];
    const page = (channel: string): ReactNode => (
      <RealtimeProvider client={hub.client}>
        <Latest channel={channel} />
      </RealtimeProvider>
    );
    const { rerender } = render(page(one));
    await followed(hub.client, one);
    rerender(page(two));
    await followed(hub.client, two);
    await hub.client.publish(two, "second");
    await screen.findByText('subscribed "second"');
    await until(() => !hub.client.subscriptions.get().has(one));
  });

  test("renders only for the parts that are read", async () => {
    const channel = fresh("plain");
    let renders = 0;
    function Members(): ReactNode {
      renders++;
      const { members } = useChannel(channel, { throttle: 0 });
      return <p>{members.length} here</p>;
    }
    renderWith(
      hub.client,
      <>
        <Members />
        <Latest channel={channel} />
      </>,
    );
    await followed(hub.client, channel);
    const before = renders;
    for (let n = 1; n <= 20; n++) await hub.client.publish(channel, n);
    await screen.findByText("subscribed 20");
    expect(renders).toBe(before);
    await until(() => hub.client.figures.get().saved >= 20);
  });

  test("begins with the history, and goes on without a gap or a repetition", async () => {
    const channel = fresh("kept");
    for (let n = 1; n <= 5; n++) await hub.client.publish(channel, n);
    const shown: unknown[][] = [];
    function All(): ReactNode {
      const { messages } = useChannel(channel, { throttle: 0, history: 3 });
      shown.push(messages.map(({ data }) => data));
      return null;
    }
    const other = await hub.connect();
    const publishing = other.call("burst", { channel, count: 300, per_s: 3000 });
    renderWith(hub.client, <All />);
    await publishing;
    for (const last of ["last", "very last"]) {
      await other.publish(channel, last);
      await until(() => shown.at(-1)?.at(-1) === last);
    }
    const seen = present(shown.at(-1));
    const { messages } = await other.history(channel, { limit: seen.length, reverse: true });
    expect(seen).toEqual([...messages].reverse().map(({ data }) => data));
    expect(seen.length).toBeGreaterThan(3);
  });

  test("does without a history that may not be read", async () => {
    const channel = fresh("plain");
    renderWith(hub.client, <Latest channel={channel} history={5} />);
    await followed(hub.client, channel);
    await hub.client.publish(channel, "live");
    await screen.findByText('subscribed "live"');
  });

  test("keeps the last message while the connection is away, and has what was missed afterwards", async () => {
    const channel = fresh("kept");
    const other = await hub.connect();
    renderWith(hub.client, <Latest channel={channel} />);
    await followed(hub.client, channel);
    await other.publish(channel, "before");
    await screen.findByText('subscribed "before"');
    hub.client.disconnect();
    await screen.findByText('subscribing "before"');
    await other.publish(channel, "meanwhile");
    hub.client.connect();
    await screen.findByText('subscribed "meanwhile"');
  });

  test("keeps one message at least, so that there is a latest one", async () => {
    const channel = fresh("plain");
    function Kept(): ReactNode {
      const { messages, latest } = useChannel(channel, { keep: 0, throttle: 0 });
      return <p>{`${messages.length} of ${latest?.data}`}</p>;
    }
    renderWith(hub.client, <Kept />);
    await followed(hub.client, channel);
    for (let n = 1; n <= 3; n++) await hub.client.publish(channel, n);
    await screen.findByText("1 of 3");
  });

  test("keeps members up to date", async () => {
    const channel = fresh("people");
    function Count(): ReactNode {
      return <p>{useChannel(channel, { members: true }).members.length} here</p>;
    }
    renderWith(hub.client, <Count />);
    await screen.findByText("1 here");
    const other = await hub.connect();
    const view = other.subscribe(channel);
    await screen.findByText("2 here");
    view.close();
    await screen.findByText("1 here");
  });

  test("leaves nothing behind when it is unmounted before the subscription is there", async () => {
    const channel = fresh("plain");
    const { unmount } = renderWith(hub.client, <Latest channel={channel} history={5} />);
    unmount();
    await until(() => hub.client.subscriptions.get().size === 0);
    const other = await hub.connect();
    await until(async () => (await followers(other, channel)) === 0);
  });

  test("survives a cut of the connection", async () => {
    const channel = fresh("kept");
    const other = await hub.connect();
    renderWith(hub.client, <Latest channel={channel} />);
    await followed(hub.client, channel);
    await cut(hub.client, other);
    await other.publish(channel, "after");
    await screen.findByText('subscribed "after"');
  });
});

describe("<RealtimeProvider>", () => {
  test("makes one connection and one subscription in StrictMode", async () => {
    const channel = fresh("plain");
    const clients = new Set<Client>();
    function Remember(): ReactNode {
      clients.add(useRealtime().client);
      return null;
    }
    const { unmount } = render(
      <StrictMode>
        <RealtimeProvider options={hub.options}>
          <Remember />
          <Latest channel={channel} />
        </RealtimeProvider>
      </StrictMode>,
    );
    await screen.findByText("subscribed null");
    const [own] = clients;
    expect(clients.size).toBe(1);
    expect(await followers(hub.client, channel)).toBe(1);
    unmount();
    await until(async () => (await followers(hub.client, channel)) === 0);
    await until(() => present(own).status.get().state === "disconnected");
  });

  test("connects anew when it is shown again after it was hidden for long", async () => {
    const channel = fresh("plain");
    const clients: Client[] = [];
    function Remember(): ReactNode {
      clients.push(useRealtime().client);
      return null;
    }
    const app = (
      <RealtimeProvider options={hub.options}>
        <Remember />
        <Latest channel={channel} />
      </RealtimeProvider>
    );
    const { rerender } = render(<Activity>{app}</Activity>);
    await until(async () => (await followers(hub.client, channel)) === 1);
    rerender(<Activity mode="hidden">{app}</Activity>);
    await until(() => present(clients[0]).status.get().state === "disconnected");
    rerender(<Activity>{app}</Activity>);
    await until(async () => (await followers(hub.client, channel)) === 1);
    await hub.client.publish(channel, "again");
    await screen.findByText('subscribed "again"');
  });

  test("leaves a client that it was given to whoever made it", async () => {
    const client = createClient(hub.options);
    const { unmount } = renderWith(client, null);
    expect(client.status.get().state).toBe("disconnected");
    client.connect();
    await client.ready();
    unmount();
    expect(await client.call("add", [1, 2])).toBe(3);
    client.close();
  });

  test("is missed with a clear error", () => {
    expect(() => render(<Latest channel="plain:none" />)).toThrow("no <RealtimeProvider>");
  });
});
