// Opens reports of `bridge harness` from disk in a browser, in both colour schemes and on
// a narrow screen, and checks them with axe-core's accessibility rules:
// node page.mjs FOLDER-FOR-PICTURES REPORT.html…
// CHROMIUM names the browser.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const require = createRequire(`${process.cwd()}/`);
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const [folder, ...reports] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ["--no-sandbox"] });
let problems = 0;
const tell = (...words) => { problems++; console.log(...words); };

for (const report of reports) {
	for (const [colorScheme, width] of [["light", 1280], ["dark", 1280], ["light", 360]]) {
		const what = `${basename(report, ".html")} ${colorScheme} ${width}`;
		const context = await browser.newContext({ colorScheme, viewport: { width, height: 900 }, bypassCSP: true });
		const page = await context.newPage();
		page.on("console", (m) => tell(what, "console:", m.text()));
		page.on("pageerror", (e) => tell(what, "error:", e.message));
		page.on("request", (r) => r.url().startsWith("file:") || r.url().startsWith("data:") || tell(what, "asks for", r.url()));
		await page.goto(pathToFileURL(resolve(report)).href);
		await page.evaluate(() => document.querySelectorAll("details").forEach((d) => { d.open = true; }));
		await page.screenshot({ path: `${folder}/${what.replaceAll(" ", "-")}.png`, fullPage: true });
		const wide = await page.evaluate(() => document.documentElement.scrollWidth);
		if (wide > width) tell(what, "is", wide, "pixels wide");
		await page.evaluate(axe);
		const { violations, passes } = await page.evaluate(() => globalThis.axe.run());
		for (const v of violations) tell(what, v.id, v.nodes.length, v.nodes[0].html.slice(0, 150), v.nodes[0].failureSummary);
		console.log(`${what}: ${passes.length} rules passed, ${violations.length} violated`);
		await context.close();
	}
}
await browser.close();
process.exit(problems ? 1 : 0);
