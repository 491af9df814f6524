import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { defineConfig, type Plugin } from "vite";

const target = join(import.meta.dirname, "../src/beffroi/faces/shell/static/beffroi");

/** Write a .gz beside every text asset: WhiteNoise serves it to the browsers that accept it. */
function precompress(): Plugin {
  return {
    name: "precompress",
    closeBundle() {
      const folder = join(target, "assets");
      for (const name of readdirSync(folder)) {
        if (!/\.(js|mjs|css|svg)$/.test(name)) continue;
        writeFileSync(join(folder, `${name}.gz`), gzipSync(readFileSync(join(folder, name)), { level: 9 }));
      }
    },
  };
}

/** Put the declarations of `@palette name {…}` where a rule says `palette: name`: a palette is written once, in tokens.css. */
function palettes(): Plugin {
  return {
    name: "palettes",
    enforce: "pre",
    transform(code, id) {
      if (!id.endsWith("/tokens.css")) return null;
      const known = new Map<string, string>();
      const rest = code.replace(/@palette ([\w-]+) \{([^}]*)\}/g, (_, name: string, body: string) => (known.set(name, body), ""));
      return rest.replace(/palette: ([\w-]+);/g, (_, name: string) => {
        const body = known.get(name);
        if (body === undefined) throw new Error(`tokens.css: palette "${name}" is not written; known: ${[...known.keys()].join(", ")}`);
        return body;
      });
    },
  };
}

const hashed = "assets/[name].[hash:12]";

export default defineConfig({
  base: "/static/beffroi/",
  publicDir: "public",
  plugins: [palettes(), precompress()],
  build: {
    outDir: target,
    emptyOutDir: true,
    manifest: "manifest.json",
    // The Content-Security-Policy is 'self': nothing may become a data: address.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: "es2022",
    chunkSizeWarningLimit: 1300,
    rollupOptions: {
      input: { main: "src/main.ts", map: "src/map.ts", address: "src/address.ts", search: "src/search.ts", report: "src/report.ts", field: "src/field.ts", device: "src/device.ts" },
      output: {
        // Twelve hexadecimal digits: what WhiteNoise takes for immutable.
        hashCharacters: "hex",
        entryFileNames: `${hashed}.js`,
        chunkFileNames: `${hashed}.js`,
        assetFileNames: `${hashed}[extname]`,
      },
    },
  },
  worker: {
    format: "es",
    rollupOptions: { output: { hashCharacters: "hex", entryFileNames: `${hashed}.js`, chunkFileNames: `${hashed}.js` } },
  },
});
