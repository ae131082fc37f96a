/** A page without a framework: it shows how the connection is, the newest number of a channel, and how old that is. */

import { type Numbered, openLab, wishes } from "./lab.js";

const { options, channel } = wishes();
const { client } = openLab(options);

const show = (id: string, text: string) => {
  const place = document.getElementById(id);
  if (place !== null) place.textContent = text;
};

const showStatus = () => {
  const { state, reason } = client.status.get();
  show("state", state);
  show("reason", reason);
};
client.status.subscribe(showStatus);
showStatus();

if (channel !== "") {
  const { latest } = lab.follow(channel, { throttle: 100 });
  const showNewest = () => {
    const message = latest.get();
    if (message === undefined) return;
    show("newest", String((message.data as Numbered).n));
    show("age", `${Math.floor((Date.now() - message.receivedAt) / 1000)} s old`);
  };
  latest.subscribe(showNewest);
  setInterval(showNewest, 250);
}

document.getElementById("retry")?.addEventListener("click", () => client.retry());
client.connect();
