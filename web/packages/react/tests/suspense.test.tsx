import { screen } from "@testing-library/react";
import { Component, type ReactNode, StrictMode, Suspense } from "react";
import { createRoot } from "react-dom/client";
import { expect, onTestFinished, test } from "vitest";
import { ChannelError, RealtimeProvider, useChannel, useRealtimeMetrics } from "../src/index.js";
import { followed, followers, fresh, until, withServer } from "./harness.js";

const hub = withServer();

function Newest({ channel }: { readonly channel: string }): ReactNode {
  const { data } = useRealtimeMetrics(channel, { suspense: true, throttle: 0 });
  return <p>{JSON.stringify(data)}</p>;
}

class Boundary extends Component<{ readonly children: ReactNode }, { readonly error: unknown }> {
  override state: { readonly error: unknown } = { error: null };

  static getDerivedStateFromError(error: unknown): { readonly error: unknown } {
    return { error };
  }

  override render(): ReactNode {
    const { error } = this.state;
    return error instanceof ChannelError ? <p>{`refused ${error.code}`}</p> : this.props.children;
  }
}

function page(children: ReactNode): ReactNode {
  return (
    <StrictMode>
      <RealtimeProvider client={hub.client}>
        <Boundary>
          <Suspense fallback={<p>waiting</p>}>{children}</Suspense>
        </Boundary>
      </RealtimeProvider>
    </StrictMode>
  );
}

/** Without the library's `act`, which does not go together with suspending. Returns what unmounts it. */
function show(children: ReactNode): () => void {
  const container = document.body.appendChild(document.createElement("div"));
  const root = createRoot(container, { onCaughtError: () => {} });
  const unmount = (): void => {
    root.unmount();
    container.remove();
  };
  onTestFinished(unmount);
  root.render(page(children));
  return unmount;
}

test("a component waits for the first message, with one subscription", async () => {
  const channel = fresh("plain");
  show(<Newest channel={channel} />);
  await screen.findByText("waiting");
  await followed(hub.client, channel);
  expect(hub.client.figures.get().subscriptions).toBe(1);
  expect(await followers(hub.client, channel)).toBe(1);
  await hub.client.publish(channel, "here");
  await screen.findByText('"here"');
  await hub.client.publish(channel, "more");
  await screen.findByText('"more"');
});

test("a component does not wait when the history has something to show", async () => {
  const channel = fresh("kept");
  await hub.client.publish(channel, "kept");
  show(<Newest channel={channel} />);
  await screen.findByText('"kept"');
});

test("a refusal goes to the error boundary", async () => {
  show(<Newest channel="closed:door" />);
  await screen.findByText("refused 103");
});

test("a tree that is never shown leaves nothing behind once the message is there", async () => {
  const channel = fresh("plain");
  const unmount = show(<Newest channel={channel} />);
  await followed(hub.client, channel);
  unmount();
  await hub.client.publish(channel, "too late");
  await until(() => hub.client.subscriptions.get().size === 0);
});

test("all parts of a suspended channel are there", async () => {
  const channel = fresh("plain");
  function Whole(): ReactNode {
    const { latest, status } = useChannel(channel, { suspense: true, throttle: 0 });
    return <p>{`${status.state} ${latest.data}`}</p>;
  }
  show(<Whole />);
  await followed(hub.client, channel);
  await hub.client.publish(channel, 1);
  await screen.findByText("subscribed 1");
});
