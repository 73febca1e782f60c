import { readFileSync, readdirSync } from "node:fs";
import { resolve } from "node:path";
import { defineConfig, type Plugin } from "vite";

const root = resolve(import.meta.dirname, "..");

/** The shipped policies and those of "How do I …", by their titles. */
function examples(): Record<string, Record<string, string>> {
  const folder = resolve(root, "envoy/policies");
  const read = (path: string) => readFileSync(path, "utf8");
  const files = (path: string) =>
    readdirSync(path).filter((name) => name.endsWith(".yaml") && !name.endsWith(".test.yaml")).sort();
  const shipped = files(folder).filter((name) => name !== "kitchen-sink.yaml");
  const systems = shipped.map((name) => [name.replace(".yaml", ""), read(resolve(folder, name))]);
  const published = files(resolve(folder, "published"));
  const apis = published.map((name) => [name.replace(".yaml", ""), read(resolve(folder, "published", name))]);
  const page = read(resolve(root, "docs/how-do-i.md"));
  const tasks = page.split(/^## /m).slice(1).flatMap((section) => {
    const title = section.slice(0, section.indexOf("\n"));
    const block = /```yaml\n([\s\S]*?policies:[\s\S]*?)```/.exec(section);
    return block ? [[title, block[1]!]] : [];
  });
  return {
    "Systems": Object.fromEntries(systems),
    "How do I …": Object.fromEntries(tasks),
    "Published APIs": Object.fromEntries(apis),
  };
}

function examplesPlugin(): Plugin {
  const id = "virtual:examples";
  return {
    name: "examples",
    resolveId: (source) => (source === id ? `\0${id}` : undefined),
    load: (loaded) => (loaded === `\0${id}` ? `export default ${JSON.stringify(examples())}` : undefined),
  };
}

export default defineConfig({
  base: "./", // it works in any folder of any server
  plugins: [examplesPlugin()],
  build: { target: "es2022", assetsInlineLimit: 0, modulePreload: false },
  worker: { format: "es" },
});
