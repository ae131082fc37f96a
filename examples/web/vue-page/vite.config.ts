import { defineConfig } from "vite";

/** The template stands in index.html, so the page takes the build of Vue that can compile one. */
export default defineConfig({
  resolve: { alias: { vue: "vue/dist/vue.esm-bundler.js" } },
  define: {
    __VUE_OPTIONS_API__: false,
    __VUE_PROD_DEVTOOLS__: false,
    __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: false,
  },
});
