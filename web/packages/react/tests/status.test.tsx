import { fireEvent, screen } from "@testing-library/react";
import { createClient } from "@vagus/client";
import { describe, expect, test } from "vitest";
import { ConnectionDot, RealtimeStatus, useChannel } from "../src/index.js";
import { violations } from "./accessible.js";
import { followed, fresh, renderWith, until, withServer } from "./harness.js";

const hub = withServer();

const button = (): HTMLElement => screen.getByRole("button", { name: /updates/ });

describe("<RealtimeStatus>", () => {
  test("says in words how the connection does, and how many updates came", async () => {
    const channel = fresh("plain");
    renderWith(hub.client, <RealtimeStatus />);
    expect(button().textContent).toContain("Connected");
    const view = hub.client.subscribe(channel, { throttle: 0 });
    await until(() => view.status.get().state === "subscribed");
    for (let n = 0; n < 3; n++) await hub.client.publish(channel, n);
    await until(() => button().textContent === "Connected3 updates");
    hub.client.disconnect();
    await until(() => button().textContent === "Disconnected3 updates");
  });

  test("opens its details, and closes them with Escape, which gives the focus back", async () => {
    renderWith(hub.client, <RealtimeStatus />);
    expect(screen.queryByRole("dialog")).toBeNull();
    fireEvent.click(button());
    const dialog = screen.getByRole("dialog", { name: "Connection" });
    expect(document.activeElement).toBe(dialog);
    expect(button().getAttribute("aria-expanded")).toBe("true");
    expect(dialog.textContent).toContain("websocket");
    fireEvent.keyDown(dialog, { key: "Escape" });
    expect(screen.queryByRole("dialog")).toBeNull();
    expect(document.activeElement).toBe(button());
  });

  test("closes when somebody points beside it, and not when at it", () => {
    renderWith(hub.client, <RealtimeStatus />);
    fireEvent.click(button());
    fireEvent.pointerDown(screen.getByRole("dialog"));
    expect(screen.queryByRole("dialog")).not.toBeNull();
    fireEvent.pointerDown(document.body);
    expect(screen.queryByRole("dialog")).toBeNull();
  });

  test("shows figures and settings when they are asked for", () => {
    renderWith(hub.client, <RealtimeStatus />);
    fireEvent.click(button());
    const isOpen = (text: string): boolean => screen.getByText(text).closest("details")?.open === true;
    for (const [title, content] of [
      ["Figures", "Renders saved"],
      ["Settings", "Animation"],
    ] as const) {
      expect(isOpen(content)).toBe(false);
      fireEvent.click(screen.getByText(title));
      expect(isOpen(content)).toBe(true);
    }
    fireEvent.click(screen.getByLabelText("Notifications"));
    expect(hub.client.preferences.get().notifications).toBe(false);
    fireEvent.change(screen.getByLabelText(/Seconds between updates/), { target: { value: "2" } });
    expect(hub.client.preferences.get().refreshEvery).toBe(2000);
    fireEvent.click(screen.getByText("Reset"));
    expect(hub.client.preferences.get()).toMatchObject({ notifications: true, refreshEvery: 0 });
  });

  test("offers to connect when it was disconnected", async () => {
    renderWith(hub.client, <RealtimeStatus />);
    fireEvent.click(button());
    expect(screen.queryByText("Connect")).toBeNull();
    hub.client.disconnect();
    fireEvent.click(await screen.findByText("Connect"));
    await until(() => hub.client.status.get().state === "connected");
  });

  test("counts down to the next try, says why, and tries at once when told", async () => {
    const client = createClient({ ...hub.options, retry: { minDelay: 20_000, maxDelay: 30_000 } });
    client.connect();
    await client.ready();
    renderWith(client, <RealtimeStatus />);
    fireEvent.click(button());
    await hub.server.end("SIGKILL");
    await screen.findByText(/next try in \d+ s/);
    await hub.server.begin();
    fireEvent.click(screen.getByText("Retry now"));
    await until(() => client.status.get().state === "connected");
    client.close();
  });

  test("says what it is that failed for good", async () => {
    const client = createClient({
      ...hub.options,
      url: "ws://127.0.0.1:9/none",
      retry: { tries: 1, minDelay: 10 },
    });
    renderWith(client, <RealtimeStatus />);
    fireEvent.click(button());
    client.connect();
    await screen.findByText("Retry now");
    await until(() => client.status.get().state === "error");
    await screen.findByText(client.status.get().reason);
    client.close();
  });

  test("without details it is no button", () => {
    renderWith(hub.client, <RealtimeStatus details={false} />);
    expect(screen.queryByRole("button")).toBeNull();
    expect(document.body.textContent).toContain("Connected");
  });

  test("has nothing that axe finds wrong, closed or open", async () => {
    renderWith(hub.client, <RealtimeStatus />);
    expect(await violations()).toEqual([]);
    fireEvent.click(button());
    for (const title of ["Figures", "Settings"]) fireEvent.click(screen.getByText(title));
    expect(await violations()).toEqual([]);
  });
});

describe("<ConnectionDot>", () => {
  function Follow({ channel }: { readonly channel: string }): null {
    useChannel(channel, { staleAfter: 100 });
    return null;
  }

  test("tells how its channel does", async () => {
    const channel = fresh("plain");
    renderWith(
      hub.client,
      <>
        <Follow channel={channel} />
        <Follow channel="closed:door" />
        <ConnectionDot channel={channel} label="Load" />
        <ConnectionDot channel="closed:door" label="Door" />
        <ConnectionDot channel="plain:nobody" label="Nobody" />
      </>,
    );
    await followed(hub.client, channel);
    await screen.findByRole("img", { name: "Load: live" });
    await screen.findByRole("img", { name: "Load: no new data" });
    await screen.findByRole("img", { name: "Door: You may not follow this channel." });
    screen.getByRole("img", { name: "Nobody: not followed" });
    expect(await violations()).toEqual([]);
    hub.client.disconnect();
    await screen.findByRole("img", { name: "Load: no connection" });
  });
});
