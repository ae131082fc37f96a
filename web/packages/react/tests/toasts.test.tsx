import { fireEvent, screen } from "@testing-library/react";
import { createClient } from "@vagus/client";
import type { ReactNode } from "react";
import { describe, expect, test } from "vitest";
import { RealtimeToasts, type ToastOptions, useToasts } from "../src/index.js";
import { violations } from "./accessible.js";
import { cut, followed, fresh, present, renderWith, until, withServer } from "./harness.js";

const hub = withServer();

function Add(props: ToastOptions): ReactNode {
  const { add } = useToasts();
  return (
    <button type="button" onClick={() => add(props)}>
      add {props.title}
    </button>
  );
}

const titles = (): (string | null)[] =>
  screen.queryAllByRole("listitem").map((item) => item.querySelector("strong")?.textContent ?? null);

/** Wait until a toast has this text, which is announced beside them too. */
const shown = (text: string): Promise<HTMLElement> => screen.findByText(text, { selector: "li *" });

/** Keep what is shown, however long the test takes. */
const hold = (): boolean => fireEvent.pointerEnter(screen.getByRole("region", { name: "Notifications" }));

describe("<RealtimeToasts>", () => {
  test("shows alerts of the channel, and not those of its history", async () => {
    const alerts = fresh("kept");
    const publish = (type: string, payload: unknown): Promise<unknown> =>
      hub.client.publish(alerts, { type, id: "", at: 1, payload });
    await publish("Alert", { title: "long ago", severity: "error" });
    renderWith(hub.client, <RealtimeToasts />, { alerts });
    hold();
    await followed(hub.client, alerts);
    await publish("UserActivity", { title: "no alert" });
    await publish("PerformanceAlert", { metric: "cpu", value: 93, threshold: 90, unit: "%" });
    await shown("93 %, threshold 90 %");
    await publish("Alert", { title: "disk full", message: "on web-1", severity: "error" });
    await shown("on web-1");
    expect(titles()).toEqual(["cpu", "disk full"]);
    expect(await violations()).toEqual([]);
  });

  test("shows what the hub sends to the user alone, by type", async () => {
    renderWith(hub.client, <RealtimeToasts channels={[]} />);
    hold();
    await hub.client.call("tell", { type: "ConsensusReached", payload: { title: "Move to site B" } });
    await hub.client.call("tell", { type: "note", payload: { title: "no toast" } });
    await hub.client.call("tell", { type: "DecisionResult", payload: {} });
    await shown("DecisionResult");
    expect(titles()).toEqual(["Move to site B", "DecisionResult"]);
  });

  test("makes one toast of a connection that is lost and comes back", async () => {
    const other = await hub.connect();
    renderWith(hub.client, <RealtimeToasts channels={[]} />);
    hold();
    await cut(hub.client, other);
    await shown("Connected again");
    expect(titles()).toEqual(["Connected again"]);
  });

  test("keeps a connection that is given up until somebody retries", async () => {
    const client = createClient({ ...hub.options, retry: { tries: 1, minDelay: 10 } });
    client.connect();
    await client.ready();
    renderWith(client, <RealtimeToasts channels={[]} />);
    await hub.server.end("SIGKILL");
    await shown("No connection");
    await hub.server.begin();
    fireEvent.click(screen.getByText("Retry now"));
    await shown("Connected again");
    client.close();
  });

  test("has no toast of the first connection but its failure, which goes when it comes about", async () => {
    const client = createClient({ ...hub.options, retry: { tries: 1, minDelay: 10 } });
    renderWith(client, <RealtimeToasts channels={[]} />);
    hold();
    await hub.server.end();
    client.connect();
    await shown("No connection");
    await hub.server.begin();
    client.retry();
    await shown("Connected again");
    expect(titles()).toEqual(["Connected again"]);
    client.close();
  });

  test("says which channel is refused, but for those it follows itself", async () => {
    renderWith(hub.client, <RealtimeToasts channels={["closed:alerts"]} />);
    hold();
    const view = hub.client.subscribe("closed:door");
    await shown("You may not follow this channel.");
    await until(() => hub.client.subscriptions.get().get("closed:alerts")?.state === "unsubscribed");
    expect(titles()).toEqual(["closed:door"]);
    view.close();
  });

  test("shows nothing of the hub when notifications are off, and what the page adds", async () => {
    const alerts = fresh("plain");
    hub.client.preferences.set({ notifications: false });
    renderWith(
      hub.client,
      <>
        <Add title="mine" />
        <RealtimeToasts />
      </>,
      { alerts },
    );
    await followed(hub.client, alerts);
    const seen: unknown[] = [];
    hub.client.subscribe(alerts, { throttle: 0 }).listen((batch) => seen.push(...batch));
    await hub.client.publish(alerts, { type: "Alert", id: "", at: 1, payload: { title: "hidden" } });
    await until(() => seen.length === 1);
    fireEvent.click(screen.getByText("add mine"));
    expect(titles()).toEqual(["mine"]);
  });

  test("makes alike toasts one, and counts those that do not fit", () => {
    const page = ["a", "b", "c", "d", "e", "f"].map((title) => <Add key={title} title={title} />);
    renderWith(
      hub.client,
      <>
        {page}
        <RealtimeToasts channels={[]} visible={2} />
      </>,
    );
    for (const title of ["a", "b", "c", "c", "c"]) fireEvent.click(screen.getByText(`add ${title}`));
    expect(titles()).toEqual(["b", "c"]);
    screen.getByText("×3");
    fireEvent.click(screen.getByText("Dismiss all, 1 more"));
    expect(titles()).toEqual([]);
  });

  test("goes by itself after its time, but not while the focus or the pointer is on it", async () => {
    renderWith(
      hub.client,
      <>
        <Add title="short" duration={100} />
        <RealtimeToasts channels={[]} />
      </>,
    );
    const add = screen.getByText("add short");
    const region = screen.getByRole("region", { name: "Notifications" });
    for (const [stay, go] of [
      [() => screen.getByLabelText("Dismiss: short").focus(), () => add.focus()],
      [() => fireEvent.pointerEnter(region), () => fireEvent.pointerLeave(region)],
    ] as const) {
      fireEvent.click(add);
      stay();
      const begun = performance.now();
      await until(() => performance.now() - begun > 300); // three times as long as it would be there
      expect(titles()).toEqual(["short"]);
      go();
      await until(() => titles().length === 0);
    }
  });

  test("goes by itself also when the focus was on another that is dismissed", async () => {
    renderWith(
      hub.client,
      <>
        <Add title="first" />
        <Add title="second" />
        <Add title="third" duration={100} />
        <RealtimeToasts channels={[]} visible={1} />
      </>,
    );
    const region = screen.getByRole("region", { name: "Notifications" });
    for (const dismiss of ["Dismiss: second", "Dismiss all, 1 more"]) {
      for (const title of ["first", "second"]) fireEvent.click(screen.getByText(`add ${title}`));
      const button = screen.queryByLabelText(dismiss) ?? screen.getByText(dismiss);
      button.focus();
      fireEvent.click(button);
      expect(document.activeElement).toBe(region);
      fireEvent.click(screen.getByText("add third"));
      expect(titles()).toEqual(["third"]);
      await until(() => !titles().includes("third"));
    }
  });

  test("stays where its time is longer than timers count", async () => {
    renderWith(
      hub.client,
      <>
        <Add title="long" duration={2 ** 40} />
        <Add title="short" duration={100} />
        <RealtimeToasts channels={[]} />
      </>,
    );
    for (const title of ["long", "short"]) fireEvent.click(screen.getByText(`add ${title}`));
    await until(() => !titles().includes("short"));
    expect(titles()).toEqual(["long"]);
  });

  test("is dismissed with Escape, and the focus stays with the toasts", () => {
    renderWith(
      hub.client,
      <>
        <Add title="one" />
        <Add title="two" />
        <RealtimeToasts channels={[]} />
      </>,
    );
    fireEvent.click(screen.getByText("add one"));
    fireEvent.click(screen.getByText("add two"));
    const dismiss = screen.getByLabelText("Dismiss: two");
    dismiss.focus();
    fireEvent.keyDown(dismiss, { key: "Escape" });
    expect(titles()).toEqual(["one"]);
    expect(document.activeElement).toBe(screen.getByRole("region", { name: "Notifications" }));
  });

  test("runs the action of a toast, which stays for 20 seconds at least", () => {
    let undone = 0;
    const action = { label: "Undo", run: () => undone++ };
    let durations: readonly number[] = [];
    function Durations(): null {
      durations = useToasts().toasts.map(({ duration }) => duration);
      return null;
    }
    renderWith(
      hub.client,
      <>
        <Add title="moved" action={action} duration={100} />
        <Durations />
        <RealtimeToasts channels={[]} />
      </>,
    );
    fireEvent.click(screen.getByText("add moved"));
    expect(durations).toEqual([20_000]);
    fireEvent.click(screen.getByText("Undo"));
    expect(undone).toBe(1);
    expect(titles()).toEqual([]);
  });

  test("is announced in a region that was there before", () => {
    renderWith(
      hub.client,
      <>
        <Add title="saved" />
        <RealtimeToasts channels={[]} />
      </>,
    );
    const region = present(screen.getByRole("status"));
    expect(region.textContent).toBe("");
    fireEvent.click(screen.getByText("add saved"));
    expect(region.textContent).toBe("saved");
  });
});
