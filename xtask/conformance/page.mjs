// The page of the mock server in a browser: what it shows is so, and what it offers works. Arguments: the
// endpoint of a server that was just started, the file for a picture of the page, and the browser's program.

import assert from "node:assert";
import { chromium } from "playwright-core";

const [endpoint, picture, executablePath] = process.argv.slice(2);
assert(endpoint && picture && executablePath, "usage: ENDPOINT SCREENSHOT.png CHROMIUM");

// Chromium's services of its own would call hosts elsewhere.
const args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
  "--disable-background-networking", "--disable-component-update"];
const COLLECTION = "/v1/access-clients";
const HOUR = 3_600_000;
const troubles = [];

async function call(method, path, body) {
  const headers = { "content-type": "application/json" };
  const answer = await fetch(endpoint + path, { method, headers, body: body && JSON.stringify(body) });
  const text = await answer.text();
  return { status: answer.status, body: text ? JSON.parse(text) : null };
}

/** Runs one check, after which the browser must have had nothing to complain of either. */
async function check(what, task) {
  try {
    await task();
    assert.deepStrictEqual(troubles, [], "the browser complains");
  } catch (error) {
    throw new Error(`${what}: ${error.message}`);
  }
  console.log(`  ${what}`);
}

async function open(context, path) {
  const page = await context.newPage();
  page.setDefaultTimeout(5000);
  page.on("console", (message) => message.type() === "error" && troubles.push(message.text()));
  page.on("pageerror", (error) => troubles.push(String(error)));
  page.on("request", (request) => {
    const { origin, protocol } = new URL(request.url());
    if (protocol !== "data:" && origin !== new URL(endpoint).origin) troubles.push(`asks ${request.url()}`);
  });
  const answer = await page.goto(endpoint + path);
  assert.strictEqual(answer.status(), 200, path);
  return page;
}

async function isNarrow(page) {
  const [content, window] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert(content <= window, `${content} pixels in a window of ${window}`);
}

async function checkAll(context) {
  const page = await open(context, "/_mock/");
  const record = (id) => page.locator("#records tbody", { hasText: id });
  const entry = (...texts) =>
    texts.reduce((found, hasText) => found.filter({ hasText }), page.locator("#journal .call")).first();
  const rules = page.locator("#faults li");
  const clock = async () => (await call("GET", "/_mock/v1/clock?project_id=default")).body;

  await check("the page opens, connects, and tells of an empty project how to fill it", async () => {
    await page.getByText("Live", { exact: true }).waitFor();
    const command = await page.locator("#records-curl").textContent();
    assert(command.startsWith(`curl -s ${endpoint}${COLLECTION} `), command);
  });

  await check("a new access client and its call appear by themselves", async () => {
    await page.evaluate(() => (window.isSamePage = true));
    const { body } = await call("POST", COLLECTION, { name: "from-a-browser-test" });
    await record(body.id).getByText("from-a-browser-test").first().waitFor({ timeout: 2000 });
    await entry("CreateAccessClientInfo", "200").waitFor({ timeout: 2000 });
    assert(await page.evaluate(() => window.isSamePage), "the page was loaded again");
  });

  await check("a call opens to why it was refused", async () => {
    await call("POST", COLLECTION, { name: "" });
    const refused = entry("CreateAccessClientInfo", "400");
    await refused.locator("summary").click();
    assert(await refused.locator(".reason").textContent());
    await refused.getByText("common.01000001").first().waitFor();
  });

  await check("the switch 408 lets the next call fail, counts it, and the rule can be removed", async () => {
    const fault = page.getByRole("switch", { name: /^408/ });
    await fault.click();
    await page.locator("#switches [aria-checked=true]").first().waitFor();
    assert.strictEqual((await call("GET", COLLECTION)).status, 408);
    await rules.getByText("matched 1, fired 1").waitFor();
    await entry("ListVpcepClient", "408").getByText(/^fault \d/).waitFor();
    await rules.getByRole("button", { name: /^Remove/ }).click();
    await rules.waitFor({ state: "detached" });
    assert.strictEqual(await fault.getAttribute("aria-checked"), "false");
    assert.strictEqual((await call("GET", COLLECTION)).status, 200);
  });

  await check("the clock is frozen, and goes on by an hour", async () => {
    await page.getByRole("button", { name: "Freeze" }).click();
    await page.getByRole("button", { name: "Run", exact: true }).waitFor();
    const before = await clock();
    assert(before.frozen, "it runs");
    await page.getByRole("button", { name: "+1 h", exact: true }).click();
    const later = new Date(Date.parse(before.time) + HOUR).toISOString();
    await page.locator(`#clock[datetime="${later}"]`).waitFor();
    assert.strictEqual(Date.parse((await clock()).time), Date.parse(later));
  });

  await check("in a window of 390 pixels nothing is cut off", async () => {
    const size = page.viewportSize();
    await page.setViewportSize({ width: 390, height: 844 });
    await isNarrow(page);
    await page.setViewportSize(size);
  });

  await page.getByRole("switch", { name: /^Slow/ }).click();
  await rules.first().waitFor();
  await page.screenshot({ path: picture, fullPage: true, animations: "disabled" });

  await check("a reset, once confirmed, empties the project", async () => {
    await page.getByRole("button", { name: "Reset project…" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Reset project" }).click();
    await page.locator("#records-empty").waitFor();
    assert.strictEqual(await page.locator("#records tbody").count(), 0);
    const records = await call("GET", "/_mock/v1/projects/default/access-clients");
    assert.strictEqual(records.body.total, 0);
  });

  await page.close();
  await check("the reference shows the operations", async () => {
    const reference = await open(context, "/_mock/reference/");
    await reference.locator(".opblock", { hasText: "Create an access client" }).first().waitFor();
    assert.strictEqual(await reference.locator(".opblock").count(), 6);
  });
}

const browser = await chromium.launch({ executablePath, args });
try {
  await checkAll(await browser.newContext({ viewport: { width: 1280, height: 800 } }));
} catch (error) {
  console.error(`page: ${error.message.replaceAll(/\u001b\[\d+m/g, "")}`);
  process.exitCode = 1;
} finally {
  await browser.close();
}
