import { existsSync, readdirSync } from "node:fs";
import { resolve } from "node:path";
import vue from "@vitejs/plugin-vue";
import { defineConfig } from "vitest/config";

const here = import.meta.dirname;

/** Every folder with an index.html is a page: a new screen needs no change here. */
function findPages(): Record<string, string> {
  const pages: Record<string, string> = {};
  for (const entry of readdirSync(here, { withFileTypes: true })) {
    const html = resolve(here, entry.name, "index.html");
    if (entry.isDirectory() && entry.name !== "node_modules" && existsSync(html)) {
      pages[entry.name] = html;
    }
  }
  return pages;
}

const backend = process.env.GRIDMAP_DEV_BACKEND ?? "http://127.0.0.1:8420";

export default defineConfig({
  root: here,
  base: "/static/dist/",
  plugins: [vue()],
  resolve: { alias: { "@shared": resolve(here, "shared") } },
  // Workers are ES modules: the map's worker and the live feed's worker share code with the pages.
  worker: { format: "es" },
  define: {
    __VUE_OPTIONS_API__: "false",
    __VUE_I18N_LEGACY_API__: "false",
    __VUE_I18N_FULL_INSTALL__: "false",
  },
  build: {
    outDir: resolve(here, "../static/dist"),
    emptyOutDir: true,
    manifest: true,
    target: "es2022",
    // The pages are served under a policy that allows no data: fonts or scripts, so nothing is inlined.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1500,
    rolldownOptions: {
      input: { ...findPages(), "patrol-worker": resolve(here, "patrol/service_worker.ts") },
      output: {
        // A service worker keeps its address for ever; everything else is named by its content.
        entryFileNames: (chunk) => (chunk.name === "patrol-worker" ? "patrol-worker.js" : "assets/[name]-[hash].js"),
      },
    },
  },
  server: {
    proxy: { "/api": backend, "/basemap": backend },
  },
  test: { include: ["**/*.test.ts"], exclude: ["node_modules/**"] },
});
