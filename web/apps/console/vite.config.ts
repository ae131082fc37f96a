import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import { precompress } from "./precompress.ts";

const PACKAGES = `${import.meta.dirname}/../../packages`;
/** Where `npm run dev` finds the server: start one with `vagus serve --insecure`. */
const SERVER = process.env["VAGUS_URL"] ?? "http://127.0.0.1:8000";

/** The console stands on the sources of the packages, so that nothing has to be built before it. */
export default defineConfig({
  root: import.meta.dirname,
  plugins: [react(), tailwindcss(), precompress()],
  resolve: {
    alias: [
      { find: /^@vagus\/react\/styles\.css$/, replacement: `${PACKAGES}/react/src/styles.css` },
      { find: /^@vagus\/(client|react)$/, replacement: `${PACKAGES}/$1/src/index.ts` },
    ],
    dedupe: ["react", "react-dom"],
  },
  build: {
    target: "es2023",
    outDir: "dist",
    emptyOutDir: true,
    manifest: true,
    modulePreload: { polyfill: false },
    // What is inlined as data: would need a wider Content-Security-Policy.
    assetsInlineLimit: 0,
    reportCompressedSize: false,
  },
  server: {
    proxy: {
      "/api": SERVER,
      "/health": SERVER,
      "/connection": { target: SERVER, ws: true },
    },
  },
});
