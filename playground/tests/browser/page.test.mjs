// What people do with the page, in a real browser.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { drawn, drop, launch, open, policy, redrawn, serve, set, shows, text, write } from "./page.mjs";
import { MAX_KB, total } from "../../sizes.mjs";

let server, browser;
before(async () => {
  server = await serve();
  browser = await launch();
});
after(async () => {
  await browser?.close();
  server?.close();
});

const totals = (page) => text(page, "#totals");

test("a policy that is typed in is run at once, and its errors stand in their lines", async () => {
  const page = await open(browser, server.address);
  await redrawn(page, () => write(page, policy("quota: 7, window: 60s")));
  assert.match(await totals(page), /has 7 of 7/);
  assert.match(await text(page, "#words"), /mine/);
  await page.keyboard.type("nonsense: 1");
  await shows(page, "#findings", "line 6: error");
  assert.match(await text(page, "#findings"), /nonsense/);
  assert.ok(await page.waitForSelector(".found-error"));
  await page.click("#findings button");
  assert.equal(await page.evaluate(() => document.activeElement.className.includes("cm-content")), true);
  for (let at = 0; at < "nonsense: 1".length; at++) await page.keyboard.press("Backspace");
  await page.keyboard.down("Control");
  await page.keyboard.press("z");
  await page.keyboard.up("Control");
  assert.deepEqual(page.errors, []);
  await page.close();
});

test("each example is valid, and shows a picture", async () => {
  const page = await open(browser, server.address);
  const examples = await page.$$eval("#example option", (options) => options.map((option) => option.value).filter(Boolean));
  assert.ok(examples.length > 30, `${examples.length}`);
  for (const example of examples) {
    await redrawn(page, () => page.select("#example", example));
    assert.deepEqual(await page.$$eval("#findings .error", (all) => all.map((one) => one.textContent)), [], example);
    assert.notEqual(await text(page, "#words"), "", example);
  }
  assert.deepEqual(page.errors, []);
  await page.close();
});

test("each shape of traffic is drawn, and a click shows the response of its moment", async () => {
  const page = await open(browser, server.address);
  await redrawn(page, () => write(page, policy("quota: 5, window: 60s")));
  for (const shape of ["steady", "bursts", "crowd", "drawn", "edges"]) {
    await redrawn(page, () => page.select("#shape", shape));
    assert.match(await totals(page), /rejected/, shape);
  }
  await page.click("#rejection");
  await shows(page, "#reply", "HTTP/1.1 429");
  assert.match(await text(page, "#reply"), /retry-after: \d+/);
  assert.match(await text(page, "#why"), /rejects, 0 of 5 left/);
  const { x, y, width, height } = await (await page.$("#chart .u-over")).boundingBox();
  await page.mouse.click(x + width * 0.02, y + height / 2);
  await shows(page, "#reply", "HTTP/1.1 200");
  assert.deepEqual(page.errors, []);
  await page.close();
});

test("a drag zooms, and a button shows the whole time again", async () => {
  const page = await open(browser, server.address);
  const { x, y, width, height } = await (await page.$("#chart .u-over")).boundingBox();
  await redrawn(page, async () => {
    await page.mouse.move(x + width * 0.3, y + height / 2);
    await page.mouse.down();
    await page.mouse.move(x + width * 0.4, y + height / 2, { steps: 5 });
    await page.mouse.up();
  });
  assert.equal(await page.$eval("#unzoom", (button) => button.hidden), false);
  await redrawn(page, () => page.click("#unzoom"));
  assert.equal(await page.$eval("#unzoom", (button) => button.hidden), true);
  await page.focus("#zoom");
  await redrawn(page, () => page.keyboard.press("Enter"));
  assert.equal(await page.$eval("#unzoom", (button) => button.hidden), false);
  await page.close();
});

test("traffic is drawn with the mouse and with the keyboard", async () => {
  const page = await open(browser, server.address);
  await redrawn(page, () => page.select("#shape", "drawn"));
  const first = await totals(page);
  const { x, y, width, height } = await (await page.$("#draw")).boundingBox();
  await redrawn(page, async () => {
    await page.mouse.move(x + width * 0.2, y + height * 0.1);
    await page.mouse.down();
    await page.mouse.move(x + width * 0.8, y + height * 0.1, { steps: 20 });
    await page.mouse.up();
  });
  const second = await totals(page);
  assert.notEqual(first, second);
  await page.focus("#draw");
  await redrawn(page, () => page.keyboard.press("ArrowDown"));
  assert.notEqual(second, await totals(page));
  await page.close();
});

test("the algorithms are side by side: only those that slide stay at their quota across the edge", async () => {
  const page = await open(browser, server.address);
  await redrawn(page, () => write(page, policy("quota: 50, window: 60s")));
  await page.waitForSelector("#compare [data-algorithm=fixed_window][data-worst='100']");
  const worst = (name) => page.$eval(`#compare [data-algorithm=${name}]`, (box) => box.dataset.worst);
  assert.equal(await worst("sliding_window"), "50");
  await page.close();
});

test("one caller is shown by choice, from a list, at a click and in the link", async () => {
  const page = await open(browser, server.address);
  await redrawn(page, () => write(page, policy("quota: 5, window: 60s")));
  await redrawn(page, () => page.select("#shape", "bursts"));
  await redrawn(page, () => set(page, "every", 60));
  await redrawn(page, () => set(page, "size", 24));
  await redrawn(page, () => set(page, "callers", 3));
  assert.match(await totals(page), /^45 admitted, 27 rejected/);
  const names = await page.$$eval("#caller option", (options) => options.map((option) => option.textContent));
  assert.deepEqual(names.map((name) => name.split(":")[0]), ["all 3", "10.0.0.1", "10.0.0.2", "10.0.0.3"]);

  await redrawn(page, () => page.select("#caller", "1"));
  assert.match(await totals(page), /^10\.0\.0\.2: 15 admitted, 9 rejected\. Its fullest trailing window of 60 s has 5 of 5/);
  await page.click("#rejection");
  await shows(page, "#whose", "to 10.0.0.2");
  await shows(page, "#reply", "HTTP/1.1 429");

  await page.click("#share");
  await page.waitForFunction(() => document.getElementById("share").textContent !== "Copy link", { polling: 50 });
  const other = await open(browser, page.url());
  assert.equal(await totals(other), await totals(page));
  await other.close();

  await page.focus("#caller");
  await redrawn(page, () => page.keyboard.press("ArrowDown"));
  assert.match(await totals(page), /^10\.0\.0\.3: /);
  await redrawn(page, () => page.select("#caller", ""));
  const { x, y, width, height } = await (await page.$("#chart .u-over")).boundingBox();
  await page.mouse.click(x + width * 0.1, y + height / 2);
  await shows(page, "#whose", "to 10.0.0.1");
  await redrawn(page, () => page.click("#only"));
  assert.match(await totals(page), /^10\.0\.0\.1: /);
  assert.equal(await page.$eval("#caller", (select) => select.value), "0");
  assert.deepEqual(page.errors, []);
  await page.close();
});

test("a link has the policy and its traffic, and whoever opens it sees the same", async () => {
  const page = await open(browser, server.address);
  await redrawn(page, () => write(page, policy("quota: 9, window: 30s", "shared")));
  await redrawn(page, () => set(page, "size", 33));
  await page.click("#share");
  await page.waitForFunction(() => document.getElementById("share").textContent !== "Copy link", { polling: 50 });
  const link = page.url();
  const other = await open(browser, link);
  assert.equal(await totals(other), await totals(page));
  assert.match(await text(other, "#words"), /shared/);
  assert.equal(await other.$eval("#traffic [name=size]", (input) => input.value), "33");
  await page.close();
  await other.close();
});

test("a dropped log is the traffic, and what of it could not be read is said", async () => {
  const page = await open(browser, server.address);
  const line = (second, ip) => `${ip} - - [01/Jan/2026:00:00:${String(second).padStart(2, "0")} +0000] "GET /x HTTP/1.1" 200 5 "-" "curl"\n`;
  let log = "garbage\n";
  for (let second = 0; second < 40; second++) log += line(second, "192.0.2.1") + line(second, "192.0.2.2");
  await redrawn(page, () => write(page, policy("quota: 25, window: 60s")));
  await redrawn(page, () => drop(page, "access.log", Buffer.from(log)));
  assert.match(await totals(page), /^50 admitted, 30 rejected/);
  assert.match(await text(page, "#read"), /access.log: combined: 80 requests, 2 different; 1 lines are no request/);
  await redrawn(page, () => page.select("#shape", "steady"));
  assert.equal(await text(page, "#read"), "");
  const { gzipSync } = await import("node:zlib");
  await redrawn(page, () => drop(page, "access.log.gz", gzipSync(log)));
  assert.match(await totals(page), /^50 admitted, 30 rejected/);
  await redrawn(page, () => page.select("#shape", "steady"));
  const skipped = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
  await redrawn(page, () => drop(page, "access.log.zst", Buffer.concat([ZSTD, skipped, ZSTD])));
  assert.match(await text(page, "#read"), /access.log.zst: combined: 160 requests, 2 different; 2 lines are no request/);
  assert.deepEqual(page.errors, []);
  await page.close();
});

/** The log of the test above, as `zstd -19` packs it. */
const ZSTD = Buffer.from(
  "KLUv/QRoPQYAcgobFnBZB5ji+eNsWnnfDzWbUkbJdv93lQX/////////bdu2bdu2bbtt27Zt27Zta6VOaqQ+aqMu6teuW79s46yHT3hoYKbxdSgBRZGD" +
  "HYER0zycMjMDzFwOpwmNeoimhAIK2MFDDlYKXBhVbRQWW6gh+P1/DuCFaQ4SUBBIEPhP0Aj+fQT8AZFpVaVKq1KllCpVrVqp0qpUVVWqWlWlWlUrrapU" +
  "VaVatWrVDc0KMHW4Eq1D08F0sHQwHUwHpmU3K5LTqgK2GvPaYSs=",
  "base64",
);

test("all files of the page stay below their bound", () => {
  assert.ok(total() <= MAX_KB * 1000, `${total()} bytes in gzip; allowed: ${MAX_KB} KB`);
});

test("everything can be done with the keyboard, and each control has a name", async () => {
  const page = await open(browser, server.address);
  const names = await page.evaluate(() => {
    const seen = [...document.querySelectorAll("button, input, select, textarea, [tabindex], [contenteditable=true]")];
    const name = (one) => one.ariaLabel || one.labels?.[0]?.textContent || one.getAttribute("aria-labelledby") || one.textContent;
    return seen.filter((one) => !one.closest("[hidden]")).map((one) => [one.tagName, one.id, (name(one) ?? "").trim()]);
  });
  assert.ok(names.length > 10);
  for (const [tag, id, name] of names) assert.notEqual(name, "", `${tag} ${id}`);
  const reached = new Set();
  await page.evaluate(() => document.body.focus());
  for (let at = 0; at < 60; at++) {
    await page.keyboard.press("Tab");
    const [id, inside] = await page.evaluate(() => [document.activeElement.id, document.activeElement.className]);
    reached.add(id);
    if (String(inside).includes("cm-content")) {
      reached.add("editor");
      await page.keyboard.press("Escape"); // and then Tab leaves the editor
    }
  }
  for (const id of ["share", "theme", "example", "editor", "shape", "log", "limit", "caller", "zoom", "scrub", "rejection", "reply"]) {
    assert.ok(reached.has(id), `${id} is reached; reached were ${[...reached]}`);
  }
  await page.focus("#shape");
  await redrawn(page, () => page.keyboard.press("ArrowUp"));
  await page.focus("#scrub");
  const moment = await text(page, "#moment");
  await page.keyboard.press("ArrowRight");
  await page.waitForFunction((moment) => document.getElementById("moment").textContent !== moment, { polling: 50 }, moment);
  await page.close();
});

test("dark and light follow the system, and a button changes them", async () => {
  const colour = (page) => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await open(browser, server.address, { features: [{ name: "prefers-color-scheme", value: "light" }] });
  const dark = await open(browser, server.address, { features: [{ name: "prefers-color-scheme", value: "dark" }] });
  assert.notEqual(await colour(light), await colour(dark));
  await dark.click("#theme");
  assert.equal(await colour(light), await colour(dark));
  await light.close();
  await dark.close();
});

test("a narrow screen needs no scrolling to the side, and reduced motion has none", async () => {
  const features = [{ name: "prefers-reduced-motion", value: "reduce" }];
  const page = await open(browser, server.address, { width: 360, features });
  for (const shape of ["edges", "drawn", "crowd"]) {
    await redrawn(page, () => page.select("#shape", shape));
    const [wide, seen] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    assert.ok(wide <= seen, `${shape}: ${wide} of ${seen}`);
  }
  const moving = await page.evaluate(() => [...document.querySelectorAll("*")].filter((one) => {
    const style = getComputedStyle(one);
    return style.animationName !== "none" || parseFloat(style.transitionDuration) > 0;
  }).map((one) => one.className));
  assert.deepEqual(moving, []);
  await page.close();
});

test("the page asks nobody for anything once it is loaded", async () => {
  const page = await browser.newPage();
  page.setDefaultTimeout(60_000);
  // Watched only: while requests are held for interception, that of a worker may never be let go.
  const asked = [];
  page.on("request", (request) => asked.push(request.url()));
  await page.goto(server.address);
  await drawn(page);
  await page.waitForSelector("#compare [data-algorithm]");
  const [loaded, served] = [asked.length, server.requests.length];
  assert.ok(asked.every((url) => url.startsWith(server.address) || url.startsWith("data:")), `${asked}`);
  await redrawn(page, () => page.select("#example", "Systems\nparseo"));
  await redrawn(page, () => page.select("#shape", "crowd"));
  await page.click("#rejection");
  await page.click("#share");
  await page.click("#theme");
  await drop(page, "x.log", Buffer.from("garbage"));
  await shows(page, "#read", "no line of a known format");
  assert.deepEqual([asked.slice(loaded), server.requests.slice(served)], [[], []]);
  // The page may not, even where its code would.
  const refused = await page.evaluate((address) => fetch(address).then(() => "answered", () => "refused"), "http://127.0.0.1:9/");
  assert.equal(refused, "refused");
  await page.close();
});
