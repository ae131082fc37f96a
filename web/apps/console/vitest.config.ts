import { defineConfig } from "vitest/config";

const PACKAGES = `${import.meta.dirname}/../../packages`;

export default defineConfig({
  resolve: {
    alias: [{ find: /^@vagus\/(client|react)$/, replacement: `${PACKAGES}/$1/src/index.ts` }],
    dedupe: ["react", "react-dom"],
  },
  test: { include: ["tests/**/*.test.{ts,tsx}"], testTimeout: 20_000, hookTimeout: 20_000 },
});
