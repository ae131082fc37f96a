import { defineConfig } from "vite";

/** The pages stand on the sources of the packages, so that nothing has to be built before them. */
export default defineConfig({
  root: import.meta.dirname,
  base: "./",
  resolve: {
    alias: [
      {
        find: /^@vagus\/react\/styles\.css$/,
        replacement: `${import.meta.dirname}/../packages/react/src/styles.css`,
      },
      { find: /^@vagus\/(client|react)$/, replacement: `${import.meta.dirname}/../packages/$1/src/index.ts` },
    ],
  },
  build: {
    outDir: "../../build/e2e",
    emptyOutDir: true,
    rolldownOptions: { input: [`${import.meta.dirname}/plain.html`, `${import.meta.dirname}/react.html`] },
  },
});
