import { join } from "node:path";
import { defineConfig } from "vite";

/** The service worker, one classic script without imports: the server gives it at `/sw.js` behind its own first line. */
export default defineConfig({
  publicDir: false,
  build: {
    outDir: join(import.meta.dirname, "../src/beffroi/faces/shell/static/beffroi"),
    emptyOutDir: false,
    target: "es2022",
    rollupOptions: {
      input: { worker: "src/worker/worker.ts" },
      output: { format: "iife", entryFileNames: "[name].js" },
    },
  },
});
