import { fireEvent, render, screen } from "@testing-library/react";
import { Component, type ReactNode } from "react";
import { describe, expect, test } from "vitest";
import {
  RealtimeProvider,
  useRealtimeActivities,
  useRealtimeActivityFeed,
  useRealtimeChartData,
  useRealtimeDashboardMetrics,
  useRealtimeMetrics,
} from "../src/index.js";
import { cut, followed, fresh, present, renderWith, uncaught, until, withServer } from "./harness.js";

const hub = withServer();

interface Load {
  readonly cpu: number;
  readonly disk: number;
}

describe("useRealtimeMetrics", () => {
  test("renders when the selected part changes, and not for the rest", async () => {
    const channel = fresh("plain");
    const drawn: (number | undefined)[] = [];
    function Cpu(): ReactNode {
      const { data } = useRealtimeMetrics(channel, { throttle: 0, select: (load) => (load as Load).cpu });
      drawn.push(data);
      return <p>cpu {data}</p>;
    }
    renderWith(hub.client, <Cpu />);
    await followed(hub.client, channel);
    for (const cpu of [1, 2]) {
      for (let disk = 0; disk < 3; disk++) await hub.client.publish(channel, { cpu, disk });
      await screen.findByText(`cpu ${cpu}`);
    }
    expect(drawn).toEqual([undefined, 1, 2]);
  });

  test("is told once for what comes within its throttle, and shows the newest", async () => {
    const channel = fresh("plain");
    let renders = 0;
    function Newest(): ReactNode {
      renders++;
      const { data } = useRealtimeMetrics(channel, { throttle: 300 });
      return <p>{JSON.stringify(data)}</p>;
    }
    renderWith(hub.client, <Newest />);
    await followed(hub.client, channel);
    const other = await hub.connect();
    await other.call("burst", { channel, count: 2000 });
    await screen.findByText('{"n":1999}');
    expect(renders).toBeLessThan(20);
  });

  test("begins with the newest of the history, of the time that the event tells", async () => {
    const channel = fresh("kept");
    await hub.client.publish(channel, { type: "load", id: "1", at: 1234, payload: 5 });
    function Newest(): ReactNode {
      const { data, receivedAt } = useRealtimeMetrics(channel);
      return <p>{`${JSON.stringify(data)} of ${receivedAt}`}</p>;
    }
    renderWith(hub.client, <Newest />);
    await screen.findByText('{"type":"load","id":"1","at":1234,"payload":5} of 1234');
  });

  test("keeps the last value without a connection, and says that it is not live", async () => {
    const channel = fresh("plain");
    function Newest(): ReactNode {
      const { data, isLive, reason, receivedAt } = useRealtimeMetrics(channel, { throttle: 0 });
      return <p>{`${data} ${isLive} ${reason !== ""} ${receivedAt !== null}`}</p>;
    }
    renderWith(hub.client, <Newest />);
    await followed(hub.client, channel);
    await hub.client.publish(channel, 7);
    await screen.findByText("7 true false true");
    hub.client.disconnect();
    await screen.findByText("7 false true true");
  });

  test("is stale when nothing comes for a while", async () => {
    const channel = fresh("plain");
    function Newest(): ReactNode {
      return <p>{useRealtimeMetrics(channel, { staleAfter: 50 }).isStale ? "stale" : "fresh"}</p>;
    }
    renderWith(hub.client, <Newest />);
    await screen.findByText("fresh");
    await screen.findByText("stale");
  });

  test("follows the provider's channel when none is named", async () => {
    const metrics = fresh("plain");
    function Newest(): ReactNode {
      return <p>{JSON.stringify(useRealtimeMetrics().data ?? null)}</p>;
    }
    renderWith(hub.client, <Newest />, { metrics });
    await followed(hub.client, metrics);
    await hub.client.publish(metrics, [1]);
    await screen.findByText("[1]");
  });
});

describe("useRealtimeActivities", () => {
  test("lists the newest first, at most as many as are kept, until it is cleared", async () => {
    const channel = fresh("plain");
    function List(): ReactNode {
      const { activities, clear } = useRealtimeActivities(channel, { keep: 3, throttle: 0 });
      return (
        <>
          <p>{activities.map(({ data }) => String(data)).join(" ") || "empty"}</p>
          <button type="button" onClick={clear}>
            clear
          </button>
        </>
      );
    }
    renderWith(hub.client, <List />);
    await followed(hub.client, channel);
    for (let n = 1; n <= 5; n++) await hub.client.publish(channel, n);
    await screen.findByText("5 4 3");
    fireEvent.click(screen.getByText("clear"));
    await screen.findByText("empty");
    await hub.client.publish(channel, 6);
    await screen.findByText("6");
  });
});

describe("useRealtimeActivityFeed", () => {
  test("stands still while paused, counts what waits, and shows it afterwards", async () => {
    const channel = fresh("kept");
    await hub.client.publish(channel, "old");
    function Feed(): ReactNode {
      const feed = useRealtimeActivityFeed({ channel, throttle: 0 });
      return (
        <>
          <p>{`${feed.rows.map(({ message }) => message.data).join(" ")}, ${feed.waiting} wait, ${feed.unread} unread`}</p>
          <button type="button" onClick={feed.paused ? feed.resume : feed.pause}>
            {feed.paused ? "resume" : "pause"}
          </button>
          <button type="button" onClick={feed.markRead}>
            read
          </button>
        </>
      );
    }
    renderWith(hub.client, <Feed />);
    await screen.findByText("old, 0 wait, 0 unread");
    await hub.client.publish(channel, "a");
    await screen.findByText("a old, 0 wait, 1 unread");
    fireEvent.click(screen.getByText("read"));
    fireEvent.click(screen.getByText("pause"));
    await hub.client.publish(channel, "b");
    await hub.client.publish(channel, "c");
    await screen.findByText("a old, 2 wait, 2 unread");
    fireEvent.click(screen.getByText("resume"));
    await screen.findByText("c b a old, 0 wait, 2 unread");
  });

  test("keeps the id of a row, and shows what passes its filter", async () => {
    const channel = fresh("plain");
    const ids: number[][] = [];
    const isEven = ({ data }: { readonly data: unknown }): boolean => Number(data) % 2 === 0;
    function Feed(): ReactNode {
      const { rows } = useRealtimeActivityFeed({ channel, throttle: 0, filter: isEven });
      ids.push(rows.map(({ id }) => id));
      return <p>{rows.map(({ message }) => String(message.data)).join(" ")}</p>;
    }
    renderWith(hub.client, <Feed />);
    await followed(hub.client, channel);
    for (let n = 1; n <= 4; n++) await hub.client.publish(channel, n);
    await screen.findByText("4 2");
    const before = ids.at(-1);
    for (let n = 5; n <= 6; n++) await hub.client.publish(channel, n);
    await screen.findByText("6 4 2");
    const [newest, ...older] = present(ids.at(-1));
    expect(older).toEqual(before);
    expect(older).not.toContain(newest);
  });
});

describe("useRealtimeChartData", () => {
  test("gives aligned columns of the newest points", async () => {
    const channel = fresh("plain");
    let drawn: ReturnType<typeof useRealtimeChartData> | undefined;
    function Chart(): ReactNode {
      drawn = useRealtimeChartData(channel, { points: 3, throttle: 0 });
      return null;
    }
    renderWith(hub.client, <Chart />);
    await followed(hub.client, channel);
    for (const load of [{ a: 1 }, { a: 2 }, { a: 3, b: 30 }, { a: 4 }])
      await hub.client.publish(channel, load);
    await until(() => drawn?.series["a"]?.at(-1) === 4);
    expect(present(drawn).times).toHaveLength(3);
    expect(present(drawn).series).toEqual({
      a: Float64Array.of(2, 3, 4),
      b: Float64Array.of(Number.NaN, 30, Number.NaN),
    });
  });

  test("leaves a gap where messages were lost, and none where they were recovered", async () => {
    const [lossy, whole] = [fresh("plain"), fresh("kept")];
    const drawn = new Map<string, Float64Array>();
    function Chart({ channel }: { readonly channel: string }): ReactNode {
      const { series } = useRealtimeChartData(channel, { value: Number, throttle: 0 });
      drawn.set(channel, series["value"] ?? new Float64Array());
      return null;
    }
    renderWith(
      hub.client,
      <>
        <Chart channel={lossy} />
        <Chart channel={whole} />
      </>,
    );
    await followed(hub.client, lossy);
    await followed(hub.client, whole);
    const other = await hub.connect();
    for (const channel of [lossy, whole]) await other.publish(channel, 1);
    await until(() => [lossy, whole].every((channel) => drawn.get(channel)?.length === 1));
    const { client } = hub.client.status.get();
    await cut(hub.client, other);
    await until(
      () => hub.client.status.get().client !== client && hub.client.status.get().state === "connected",
    );
    await followed(hub.client, lossy);
    await followed(hub.client, whole);
    for (const channel of [lossy, whole]) await other.publish(channel, 2);
    await until(() => [lossy, whole].every((channel) => drawn.get(channel)?.at(-1) === 2));
    expect(drawn.get(lossy)).toEqual(Float64Array.of(1, Number.NaN, 2));
    expect(drawn.get(whole)).toEqual(Float64Array.of(1, 2));
  });
});

describe("useRealtimeDashboardMetrics", () => {
  test("holds the newest payload of each type, the history's too", async () => {
    const dashboard = fresh("kept");
    const publish = (type: string, payload: number, at: number): Promise<unknown> =>
      hub.client.publish(dashboard, { type, id: String(at), at, payload });
    await publish("Revenue", 10, 1);
    function All(): ReactNode {
      return <p>{JSON.stringify(useRealtimeDashboardMetrics())}</p>;
    }
    renderWith(hub.client, <All />, { dashboard });
    await screen.findByText('{"at":1,"Revenue":10}');
    await publish("Users", 5, 2);
    await publish("Revenue", 11, 3);
    await hub.client.publish(dashboard, { type: "__proto__", id: "", at: 9, payload: { bad: true } });
    await hub.client.publish(dashboard, "no event");
    await screen.findByText('{"at":3,"Revenue":11,"Users":5}');
  });

  test("renders when the selected event changes", async () => {
    const dashboard = fresh("plain");
    let renders = 0;
    function Users(): ReactNode {
      renders++;
      const users = useRealtimeDashboardMetrics((all) => Reflect.get(all, "Users"));
      return <p>{`${users} users`}</p>;
    }
    renderWith(hub.client, <Users />, { dashboard });
    await followed(hub.client, dashboard);
    for (let n = 1; n <= 5; n++) {
      await hub.client.publish(dashboard, { type: "Revenue", id: "", at: n, payload: n });
    }
    await hub.client.publish(dashboard, { type: "Users", id: "", at: 9, payload: 3 });
    await screen.findByText("3 users");
    expect(renders).toBe(2);
  });
});

describe("a function of the page's own that throws", () => {
  class Boundary extends Component<{ readonly children: ReactNode }> {
    override state = { isBroken: false };

    static getDerivedStateFromError(): { readonly isBroken: boolean } {
      return { isBroken: true };
    }

    override render(): ReactNode {
      return this.state.isBroken ? <p>broken</p> : this.props.children;
    }
  }

  const cpuOf = (load: unknown): number => {
    if (load === "no load") throw new Error("a mistake of the page");
    return (load as Load).cpu;
  };

  test("breaks its own component, and none beside it", async () => {
    const channel = fresh("plain");
    function Cpu(): ReactNode {
      return <p>cpu {useRealtimeMetrics(channel, { throttle: 0, select: cpuOf }).data}</p>;
    }
    function Whole(): ReactNode {
      return <p>{JSON.stringify(useRealtimeMetrics(channel, { throttle: 0 }).data)}</p>;
    }
    const page = (
      <RealtimeProvider client={hub.client}>
        <Boundary>
          <Cpu />
        </Boundary>
        <Whole />
      </RealtimeProvider>
    );
    render(page, { onCaughtError: () => {} });
    await followed(hub.client, channel);
    await hub.client.publish(channel, { cpu: 1 });
    await screen.findByText("cpu 1");
    await hub.client.publish(channel, "no load");
    await screen.findByText('"no load"');
    await screen.findByText("broken");
  });

  test("costs its own chart what it throws for, and none beside it", async () => {
    const channel = fresh("plain");
    const thrown = uncaught();
    function Cpu(): ReactNode {
      const { series } = useRealtimeChartData(channel, { throttle: 0, value: cpuOf });
      return <p>cpu {series["value"]?.join()}</p>;
    }
    function Count(): ReactNode {
      const { times } = useRealtimeChartData(channel, { throttle: 0, value: () => 1 });
      return <p>{times.length} points</p>;
    }
    renderWith(
      hub.client,
      <>
        <Cpu />
        <Count />
      </>,
    );
    await followed(hub.client, channel);
    for (const load of [{ cpu: 1 }, "no load", { cpu: 3 }]) await hub.client.publish(channel, load);
    await screen.findByText("3 points");
    await screen.findByText("cpu 1,3");
    await until(() => thrown.length === 1);
  });
});
