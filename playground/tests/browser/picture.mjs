// Takes the picture of README:  node picture.mjs docs/playground.png

import { launch, open, policy, redrawn, serve, set, write } from "./page.mjs";

const [path] = process.argv.slice(2);
const server = await serve();
const browser = await launch();
const features = [{ name: "prefers-color-scheme", value: "light" }, { name: "prefers-reduced-motion", value: "reduce" }];
const page = await open(browser, server.address, { features, width: 1280 });
await redrawn(page, () => write(page, policy("quota: 50, window: 60s", "per-client")));
await redrawn(page, () => page.select("#shape", "edges"));
await redrawn(page, () => set(page, "size", 50));
await page.waitForSelector("#compare [data-algorithm=fixed_window][data-worst='100']");
// The pitch is what stays at 50 and what does not: these first, and only these.
await page.evaluate(() => {
  const compare = document.getElementById("compare");
  for (const box of [...compare.children]) {
    if (!["sliding_window", "fixed_window", "token_bucket"].includes(box.dataset.algorithm)) box.remove();
  }
  compare.style.gridTemplateColumns = "repeat(3, 1fr)";
  document.activeElement.blur();
});
await page.mouse.move(0, 0);
await new Promise((drawn) => setTimeout(drawn, 500));
for (const box of await page.$$eval("#compare > div", (all) => all.map((one) => `${one.dataset.algorithm} ${one.dataset.worst}`))) {
  console.log(box);
}
// What is between the timeline and the algorithms is hidden, so that the picture is one piece.
await page.evaluate(() => {
  const title = [...document.querySelectorAll("h2")].find((one) => one.textContent.startsWith("The response")).parentElement;
  for (const one of [title, document.getElementById("reply"), document.getElementById("why")]) one.style.display = "none";
});
await new Promise((drawn) => setTimeout(drawn, 300));
const box = await page.evaluate(() => {
  const of = (one) => one.getBoundingClientRect();
  const [top, bottom] = [of(document.getElementById("timeline-title").parentElement), of(document.getElementById("compare"))];
  return { x: bottom.x + scrollX - 8, y: top.y + scrollY - 8, width: bottom.width + 16, height: bottom.bottom - top.y + 16 };
});
await page.screenshot({ path, clip: box });
await browser.close();
server.close();
