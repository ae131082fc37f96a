import { render, screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { Age } from "../src/index.js";
import { until } from "./harness.js";

test("an age keeps up with the time, and has the exact time for pointer and keyboard", async () => {
  const at = Date.now() - 3_000;
  render(<Age at={at} />);
  const age = await screen.findByText(/^\d+ seconds ago$/);
  expect(age.getAttribute("datetime")).toBe(new Date(at).toISOString());
  expect(age.title).toContain(new Date(at).getFullYear());
  expect(age.tabIndex).toBe(0);
  const first = age.textContent;
  await until(() => age.textContent !== first);
});

test("an age of nothing is no time", () => {
  render(<Age at={null} none="nothing yet" />);
  expect(screen.getByText("nothing yet").tagName).toBe("SPAN");
});
