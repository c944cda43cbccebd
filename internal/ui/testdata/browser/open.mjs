// Opens Chromium and logs in to the page through the file that `bridge ui` writes.
// UI_PACKAGES is the folder of the packages, UI_BROWSER the path of the browser.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import fs from "node:fs";

const require = createRequire(process.env.UI_PACKAGES + "/");
const { chromium } = require("playwright-core");
export const axeSource = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

export const link = process.env.UI_LINK;
export const faults = [];
export const fault = (text) => faults.push(text);

// The arguments of Chromium. It runs as root in CI, where its own sandbox does not work.
const args = ["--disable-gpu", "--disable-extensions", ...(process.getuid?.() === 0 ? ["--no-sandbox"] : [])];

export const launch = () => chromium.launch({ executablePath: process.env.UI_BROWSER, args });

// watch records everything that a page must never do. expected lists parts of console
// messages that a test provokes on purpose.
export function watch(page, expected = []) {
  page.on("console", (m) => {
    if (m.type() === "error" && !expected.some((e) => m.text().includes(e))) fault(`console on ${page.url()}: ${m.text()}`);
  });
  page.on("pageerror", (e) => fault(`error on ${page.url()}: ${e.message}`));
  page.on("dialog", (d) => {
    fault(`a dialog on ${page.url()}: ${d.message()}`);
    d.dismiss();
  });
  page.on("request", (r) => {
    if (!/^(file:\/\/|http:\/\/127\.0\.0\.1:)/.test(r.url())) fault(`a request to ${r.url()}`);
  });
}

// login returns the address of the first page.
export async function login(page) {
  await page.goto(pathToFileURL(link).href);
  await page.waitForURL(/^http:\/\/127\.0\.0\.1:\d+\/[0-9a-f]+\/$/);
  await page.waitForSelector("#live");
  return page.url();
}
