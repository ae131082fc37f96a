import { expect, test } from "vitest";
import { hasRole } from "../src/session.js";

test("an admin may do what an operator or a viewer may", () => {
  expect(hasRole({ roles: ["admin"] }, "operator")).toBe(true);
  expect(hasRole({ roles: ["admin"] }, "viewer")).toBe(true);
});

test("an admin is no auditor by that", () => {
  expect(hasRole({ roles: ["admin"] }, "auditor")).toBe(false);
  expect(hasRole({ roles: ["admin", "auditor"] }, "auditor")).toBe(true);
});

test("a viewer is no operator", () => {
  expect(hasRole({ roles: ["viewer"] }, "operator", "admin")).toBe(false);
});

test("one of several roles is enough", () => {
  expect(hasRole({ roles: ["auditor"] }, "operator", "auditor")).toBe(true);
});
