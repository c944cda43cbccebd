// Takes screenshots of the pages in UI_PAGES, pairs of a name and a path, and writes them to
// UI_PICTURES: in both colour schemes, of a wide window and of the whole page on a phone.
import { faults, launch, login, watch } from "./open.mjs";

const browser = await launch();
const context = await browser.newContext({ viewport: { width: 1180, height: 760 } });
context.setDefaultTimeout(60_000);
const page = await context.newPage();
watch(page);
const base = await login(page);
await page.waitForSelector("#news"); // the counts are ready
for (const [name, path] of JSON.parse(process.env.UI_PAGES)) {
  await page.setViewportSize({ width: 1180, height: 760 });
  await page.goto(base + path);
  await page.waitForFunction(() => document.getElementById("stream").textContent === "Live.");
  await page.evaluate(() => { // replace the test's folder by a realistic path
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) texts.currentNode.nodeValue = texts.currentNode.nodeValue.replace(/\S*\/TestPictures\d+\/\d+/g, "/home/you/shop");
  });
  for (const scheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme: scheme });
    await page.setViewportSize({ width: 1180, height: 760 });
    await page.screenshot({ path: `${process.env.UI_PICTURES}/${name}-${scheme}.png` });
    await page.setViewportSize({ width: 360, height: 740 });
    await page.screenshot({ path: `${process.env.UI_PICTURES}/${name}-${scheme}-phone.png`, fullPage: true });
  }
}
await browser.close();
for (const f of faults) console.log("FAULT " + f);
