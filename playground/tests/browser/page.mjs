// What the tests of the page share: a server of static files in a subfolder, and a browser that can reach nothing else.

import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { join, normalize, resolve } from "node:path";
import puppeteer from "puppeteer-core";

const dist = resolve(import.meta.dirname, "../../dist");
/** Not at each frame: a page in the background has none. */
const POLLING = { polling: 50 };
const TYPES = { html: "text/html", js: "text/javascript", css: "text/css", wasm: "application/wasm" };

/** Serves the built page below `/some/folder/`. */
export async function serve() {
  const requests = [];
  const server = createServer(async (request, response) => {
    const path = normalize(new URL(request.url, "http://page").pathname).replace(/^\/some\/folder\//, "");
    requests.push(path);
    try {
      const name = path === "" ? "index.html" : path;
      const bytes = await readFile(join(dist, name));
      response.writeHead(200, { "content-type": TYPES[name.split(".").at(-1)] ?? "application/octet-stream" }).end(bytes);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  const address = `http://127.0.0.1:${server.address().port}/some/folder/`;
  return { address, requests, close: () => server.close() };
}

export function launch() {
  return puppeteer.launch({
    executablePath: process.env.CHROMIUM,
    // It finds no other host, whatever a page asks for.
    args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"],
  });
}

/** A page that has drawn its first picture. `after`: what is behind the address. */
export async function open(browser, address, { after = "", width = 1280, features = [] } = {}) {
  const page = await browser.newPage();
  page.setDefaultTimeout(60_000);
  page.errors = [];
  page.on("pageerror", (error) => page.errors.push(String(error)));
  page.on("console", (message) => message.type() === "error" && page.errors.push(message.text()));
  await page.setViewport({ width, height: 900 });
  if (features.length) await page.emulateMediaFeatures(features);
  await page.goto(address + after);
  await drawn(page);
  return page;
}

export const drawn = (page, after = 0) =>
  page.waitForFunction((after) => Number(document.body.dataset.drawn ?? 0) > after, POLLING, after);

/** Does something, and waits for the picture that it leads to. */
export async function redrawn(page, action) {
  const before = await page.evaluate(() => performance.now());
  await action();
  await drawn(page, before);
}

export const text = (page, selector) => page.$eval(selector, (element) => element.textContent);

export const shows = (page, selector, part) =>
  page.waitForFunction((selector, part) => document.querySelector(selector)?.textContent.includes(part), POLLING, selector, part);

/** Replaces the policy by typing into the editor. */
export async function write(page, policy) {
  await page.click(".cm-content");
  await page.keyboard.down("Control");
  await page.keyboard.press("a");
  await page.keyboard.up("Control");
  // As a paste: typing would indent each line by that before it.
  await page.evaluate((policy) => {
    const data = new DataTransfer();
    data.setData("text/plain", policy);
    const event = new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true });
    document.querySelector(".cm-content").dispatchEvent(event);
  }, policy);
}

/** Sets a field of the traffic. */
export async function set(page, name, value) {
  await page.$eval(`#traffic [name=${name}]`, (input, value) => {
    input.value = value;
    input.dispatchEvent(new Event("input", { bubbles: true }));
  }, String(value));
}

/** Drops a file on the page. */
export async function drop(page, name, bytes) {
  const base64 = Buffer.from(bytes).toString("base64");
  await page.evaluate(async (name, base64) => {
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    const data = new DataTransfer();
    data.items.add(new File([bytes], name));
    document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
  }, name, base64);
}

/** The longest time that the page's own thread does not answer, in ms, while something happens. */
export async function longestSilence(page, action) {
  await page.evaluate(() => {
    let last = performance.now();
    window.silence = 0;
    window.watching = setInterval(() => {
      const now = performance.now();
      window.silence = Math.max(window.silence, now - last);
      last = now;
    }, 10);
  });
  await action();
  return page.evaluate(() => {
    clearInterval(window.watching);
    return Math.round(window.silence);
  });
}

/** A policy with a name of its own. */
export const policy = (limit, name = "mine") =>
  `keys: { ip: { client_ip: {} } }\npolicies:\n  - name: ${name}\n    key: ip\n    limits: [{ ${limit} }]\n`;
