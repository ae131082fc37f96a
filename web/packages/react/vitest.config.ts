import { defineConfig } from "vitest/config";

export default defineConfig({
  resolve: { alias: { "@vagus/client": new URL("../client/src/index.ts", import.meta.url).pathname } },
  test: {
    include: ["tests/**/*.test.{ts,tsx}"],
    testTimeout: 20_000,
    hookTimeout: 20_000,
    setupFiles: ["tests/dom.ts"],
    typecheck: {
      enabled: true,
      tsconfig: "tests/types/tsconfig.json",
      include: ["tests/types/*.test-d.{ts,tsx}"],
    },
  },
});
