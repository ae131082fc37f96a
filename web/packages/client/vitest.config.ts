import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["tests/**/*.test.{ts,tsx}"],
    testTimeout: 20_000,
    hookTimeout: 20_000,
    typecheck: {
      enabled: true,
      tsconfig: "tests/types/tsconfig.json",
      include: ["tests/types/*.test-d.{ts,tsx}"],
    },
  },
});
