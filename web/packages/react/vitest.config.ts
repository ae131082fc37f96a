import { defineConfig } from "vitest/config";
import { TIMEOUTS } from "../../testing/patience.js";

export default defineConfig({
  resolve: { alias: { "@vagus/client": new URL("../client/src/index.ts", import.meta.url).pathname } },
  test: {
    include: ["tests/**/*.test.{ts,tsx}"],
    ...TIMEOUTS,
    setupFiles: ["tests/dom.ts"],
    typecheck: {
      enabled: true,
      tsconfig: "tests/types/tsconfig.json",
      include: ["tests/types/*.test-d.{ts,tsx}"],
    },
  },
});
