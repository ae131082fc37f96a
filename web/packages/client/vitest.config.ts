import { defineConfig } from "vitest/config";
import { TIMEOUTS } from "../../testing/patience.js";

export default defineConfig({
  test: {
    include: ["tests/**/*.test.{ts,tsx}"],
    ...TIMEOUTS,
    typecheck: {
      enabled: true,
      tsconfig: "tests/types/tsconfig.json",
      include: ["tests/types/*.test-d.{ts,tsx}"],
    },
  },
});
