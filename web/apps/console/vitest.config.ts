import { defineConfig } from "vitest/config";
import { TIMEOUTS } from "../../testing/patience.js";

const PACKAGES = `${import.meta.dirname}/../../packages`;

export default defineConfig({
  resolve: {
    alias: [{ find: /^@vagus\/(client|react)$/, replacement: `${PACKAGES}/$1/src/index.ts` }],
    dedupe: ["react", "react-dom"],
  },
  test: { include: ["tests/**/*.test.{ts,tsx}"], ...TIMEOUTS },
});
