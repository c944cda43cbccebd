// Checks every page in both colour schemes, on a phone, at 200 % zoom, with the keyboard
// only, and against the rules for screen readers (axe). Prints one line for each fault.
// UI_CONTROL is the address at which it asks the test to perform an action.
import { axeSource, fault, faults, launch, link, login, watch } from "./open.mjs";
import { pathToFileURL } from "node:url";

const control = (what) => fetch(process.env.UI_CONTROL + what, { method: "POST" }).then((r) => r.text());
const pages = JSON.parse(process.env.UI_PAGES);
const conversation = process.env.UI_CONVERSATION;
const expect = (ok, text) => ok || fault(text);

const browser = await launch();
const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
context.setDefaultTimeout(60_000);
const page = await context.newPage();
watch(page);
await page.addInitScript(() => {
  addEventListener("securitypolicyviolation", (e) => console.error("policy: " + e.violatedDirective + " " + e.blockedURI));
});
const base = await login(page);

await loginOnce();
for (const path of pages) await look(path);
await hereIsSeen();
await keyboard();
await live();
await everyPageIsLive();
await stays();
await deny();
await pause();
await download();
await policyHolds();
await browser.close();
for (const f of faults) console.log("FAULT " + f);
console.log(`looked at ${pages.length} pages`);

// loginOnce checks that a used login file does not log in a second browser.
async function loginOnce() {
  const other = await browser.newContext();
  const second = await other.newPage();
  await second.goto(pathToFileURL(link).href);
  await second.waitForURL(/login$/);
  expect((await second.textContent("body")).includes("was used"), "the file logs in twice");
  const answer = await second.goto(base);
  expect(answer.status() === 401, `a browser without a cookie gets ${answer.status()}`);
  await other.close();
}

// look checks one page in both colour schemes, on a wide screen, on a phone, and in a
// window of 640 pixels, which is a screen of 1280 pixels at 200 % zoom.
async function look(path) {
  const answer = await page.goto(base + path);
  expect(answer.status() === 200, `/${path} is answered with ${answer.status()}`);
  await page.evaluate(axeSource);
  for (const scheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme: scheme, reducedMotion: scheme === "dark" ? "reduce" : "no-preference" });
    for (const width of [1280, 640, 360]) {
      await page.setViewportSize({ width, height: 800 });
      await rules(`/${path}, ${scheme}, ${width} pixels`, scheme, width);
    }
  }
}

async function rules(where, scheme, width) {
  const found = await page.evaluate(() => ({
    active: document.querySelectorAll("main script, main img, main iframe, main object, [onclick], [onmouseover], [onerror], [style]").length,
    headings: document.querySelectorAll("h1").length,
    moving: document.getAnimations().length,
    ground: getComputedStyle(document.documentElement).backgroundColor,
    wide: document.documentElement.scrollWidth,
  }));
  expect(found.active === 0, `${where}: ${found.active} elements that agents could have made`);
  expect(found.headings === 1, `${where} has ${found.headings} main headings`);
  expect(found.moving === 0, `${where}: something moves`);
  expect(found.wide <= width, `${where}: it is ${found.wide} pixels wide`);
  const bright = found.ground.match(/\d+/g).slice(0, 3).every((n) => n > 128);
  expect(bright === (scheme === "light"), `${where} has the ground ${found.ground}`);
  const report = await page.evaluate(() => axe.run(document, { preload: false, resultTypes: ["violations"] }));
  for (const v of report.violations) fault(`${where}: axe ${v.id}: ${v.nodes[0].html.slice(0, 200)} ${v.nodes[0].failureSummary}`);
}

// hereIsSeen checks that on a phone, where the navigation scrolls, the current page is visible.
async function hereIsSeen() {
  await page.setViewportSize({ width: 360, height: 700 });
  for (const path of ["limits", "runs", "audit"]) {
    await page.goto(base + path);
    const [here, bar] = await page.evaluate(() => ["nav [aria-current]", "nav"].map((s) => document.querySelector(s).getBoundingClientRect().toJSON()));
    expect(here.left >= bar.left - 1 && here.right <= bar.right + 1, `/${path}: the navigation from ${bar.left} to ${bar.right} does not show where this is, from ${here.left} to ${here.right}`);
  }
  await page.setViewportSize({ width: 1280, height: 900 });
}

// keyboard checks that the first Tab reaches a link that skips the navigation, and that
// every control can be reached and shows when it has the focus.
async function keyboard() {
  await page.goto(base);
  await page.keyboard.press("Tab");
  expect((await page.evaluate(() => document.activeElement.className)) === "skip", "the first key does not reach the link to the content");
  await page.keyboard.press("Enter");
  expect((await page.evaluate(() => document.activeElement.id)) === "content", "the link to the content does not lead there");
  for (const path of pages) {
    await page.goto(base + path);
    const all = await page.evaluate(() => {
      const things = [...document.querySelectorAll('a[href], button, input:not([type="hidden"]), select, [tabindex="0"]')];
      things.forEach((e, i) => { e.reached = i; }); // not an attribute: a live update would remove it
      return things.length;
    });
    const reached = new Set();
    for (let i = 0; i < all; i++) {
      await page.keyboard.press("Tab");
      const [n, outline] = await page.evaluate(() => [document.activeElement.reached, getComputedStyle(document.activeElement).outlineStyle]);
      reached.add(n);
      expect(outline !== "none", `/${path}: thing ${n} does not show that it has the focus`);
    }
    expect(reached.size === all, `/${path}: ${reached.size} of ${all} things are reached by the keyboard`);
  }
  await page.goto(base);
  await page.focus("#find");
  await page.keyboard.type("endpoint");
  await page.keyboard.press("Enter");
  await page.waitForSelector("mark");
}

// live checks that a sent message appears without a reload, and that the rest of the page
// is neither replaced nor moved.
async function live() {
  await page.goto(base + "conversations/" + conversation);
  await page.waitForFunction(() => document.getElementById("stream").textContent === "Live.");
  await page.evaluate(() => {
    document.querySelector("#messages article").kept = true; // a property of the element: lost if it is replaced
    scrollTo(0, 10);
  });
  const before = await page.evaluate(() => scrollY);
  await control("/send?text=appears+by+itself");
  await page.waitForFunction(() => document.querySelector("#messages").textContent.includes("appears by itself"));
  expect(await page.evaluate(() => document.querySelector("#messages article").kept === true), "a message that did not change was replaced");
  const after = await page.evaluate(() => scrollY);
  const end = await page.evaluate(() => document.documentElement.scrollHeight - innerHeight);
  expect(after === before || before >= end - 200, `the page moved from ${before} to ${after}`);
}

// everyPageIsLive checks that a change appears on each page that shows it, that the focus
// stays where it is, and that unchanged elements are not replaced.
async function everyPageIsLive() {
  await page.setViewportSize({ width: 1280, height: 600 });
  const here = "conversations/" + conversation;
  for (const [path, does, appears] of [
    ["", "task?text=for+the+overview", "for the overview"],
    ["", "ask?text=ls+for-the-overview", "ls for-the-overview"],
    ["conversations", "send?text=one+more", null],
    [here, "status?text=waiting", "waiting"],
    ["agents", "status?text=blocked", null],
    ["tasks", "task?text=for+the+tasks", "for the tasks"],
    ["claims", "claim?text=web/live.ts", "web/live.ts"],
    ["files", "write?text=live.md", "live.md"],
    ["files/text?in=" + conversation + "&path=api.md", "edit?text=PUT", "PUT"],
    ["steps", "step?text=for+the+steps", "for the steps"],
    [here + "/steps", "step?text=for+its+steps", "for its steps"],
    ["commands", "ask?text=ls+for-the-commands", "ls for-the-commands"],
    ["audit", "step?text=for+the+log", "log_step"],
    ["limits", "send?text=one+more", null],
    ["figures", "send?text=one+more", null],
  ]) {
    await page.goto(base + path);
    await page.waitForFunction(() => document.getElementById("stream").textContent === "Live.");
    const before = await page.evaluate(() => {
      const link = document.querySelector("#live a, #live [tabindex='0']");
      link?.focus({ preventScroll: true });
      if (link) link.held = true;
      document.getElementById("live").kept = true;
      return { text: document.getElementById("live").textContent, focused: !!link };
    });
    const failed = await control("/" + does);
    expect(failed === "", `/${path}: ${does} answers ${failed}`);
    const found = await page
      .waitForFunction(([was, wanted]) => {
        const text = document.getElementById("live").textContent;
        return wanted ? text.includes(wanted) : text !== was;
      }, [before.text, appears], { timeout: 30_000 })
      .catch(() => null);
    expect(found, `/${path} does not show ${does} without a reload`);
    const after = await page.evaluate(() => ({ same: document.getElementById("live").kept === true, held: document.activeElement.held === true, focus: document.activeElement.outerHTML }));
    expect(after.same, `/${path} was replaced`);
    expect(!before.focused || after.held, `/${path}: the focus went to ${after.focus.slice(0, 200)}`);
  }
}

// stays checks that the visible part does not move when something is inserted above it, and
// that selected text stays selected; once it is deselected, the page catches up.
async function stays() {
  await control("/fill");
  const path = "conversations/" + conversation + "/steps";
  await page.goto(base + path);
  await page.waitForFunction(() => document.getElementById("stream").textContent === "Live.");
  const place = () => page.evaluate(() => {
    const row = document.querySelectorAll("#rows tr")[30];
    if (!window.row) window.row = row;
    return window.row.isConnected ? window.row.getBoundingClientRect().top : null;
  });
  await page.evaluate(() => scrollTo(0, 900));
  const before = await place();
  await control("/step?text=above+what+is+read");
  await page.waitForFunction(() => document.getElementById("rows").textContent.includes("above what is read"));
  const after = await place();
  expect(after !== null && Math.abs(after - before) <= 1, `what is read moved from ${before} to ${after}`);
  await page.evaluate(() => getSelection().selectAllChildren(document.querySelectorAll("#rows .said")[3]));
  const marked = await page.evaluate(() => getSelection().toString());
  await control("/step?text=while+text+is+marked");
  await page.evaluate(() => new Promise((next) => { // wait for the next event
    const events = new EventSource(document.body.dataset.events);
    events.onmessage = () => { events.close(); next(); };
  }));
  expect(marked !== "" && (await page.evaluate(() => getSelection().toString())) === marked, "selected text did not stay selected");
  await page.evaluate(() => getSelection().removeAllRanges());
  const found = await page.waitForFunction(() => document.getElementById("rows").textContent.includes("while text is marked"), null, { timeout: 15_000 }).catch(() => null);
  expect(found, "the page does not catch up once no text is selected");
  await page.setViewportSize({ width: 1280, height: 900 });
}

// deny denies a command with the keyboard, from the first page.
async function deny() {
  await page.goto(base);
  await page.focus("#request-1 button");
  await page.keyboard.press("Enter");
  await page.waitForURL(base + "commands");
  const state = await control("/request");
  expect(state === "denied", `the command is ${state} after it was denied`);
}

async function pause() {
  await page.goto(base + "conversations/" + conversation);
  await page.click("#steer button");
  await page.waitForFunction(() => document.querySelector("#steer button").textContent === "Resume");
  await page.click("#steer button");
  await page.waitForFunction(() => document.querySelector("#steer button").textContent === "Pause");
}

async function download() {
  await page.goto(base + "conversations/" + conversation);
  const [file] = await Promise.all([page.waitForEvent("download"), page.click("a[download]")]);
  expect(file.suggestedFilename() === conversation + ".jsonl", `the export is called ${file.suggestedFilename()}`);
}

// policyHolds checks that the policy stops an injected script.
async function policyHolds() {
  const other = await context.newPage();
  watch(other, ["Content Security Policy"]);
  await other.goto(base);
  const ran = await other.evaluate(() => {
    const script = document.createElement("script");
    script.textContent = "window.ran = true";
    document.body.append(script);
    return window.ran === true;
  });
  expect(!ran, "the policy lets an inline script run");
  await other.close();
}
