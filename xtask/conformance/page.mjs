// The page of the mock server in a browser: what it shows is so, and what it offers works. Arguments: the
// endpoint of a server that was just started, the file for a picture of the page, and the browser's program.

import assert from "node:assert";
import { execFileSync } from "node:child_process";
import { connect } from "node:net";
import { chromium } from "playwright-core";

const [endpoint, picture, executablePath] = process.argv.slice(2);
assert(endpoint && picture && executablePath, "usage: ENDPOINT SCREENSHOT.png CHROMIUM");

// Chromium's services of its own would call hosts elsewhere.
const args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
  "--disable-background-networking", "--disable-component-update"];
const COLLECTION = "/v1/access-clients";
const HOUR = 3_600_000;
const troubles = [];

async function call(method, path, body, more = {}) {
  const headers = { "content-type": "application/json", ...more };
  const answer = await fetch(endpoint + path, { method, headers, body: body && JSON.stringify(body) });
  const text = await answer.text();
  return { status: answer.status, body: text ? JSON.parse(text) : null };
}

/** Sends a request as it stands, and waits until the server has answered it. */
function raw(request) {
  const { hostname, port } = new URL(endpoint);
  return new Promise((done, fail) => {
    const socket = connect(port, hostname, () => socket.write(request));
    socket.on("error", fail).on("close", done).resume();
  });
}

/** The arguments that a shell gives to curl. */
function argumentsOf(command) {
  const output = execFileSync("sh", ["-c", `curl() { printf '%s\\0' "$@"; }\n${command}`], { encoding: "utf8" });
  return output.split("\0").slice(0, -1);
}

/** The URL, headers and body that curl is given. */
function requestOf(words) {
  const after = (option) => words.flatMap((word, place) => (words[place - 1] === option ? [word] : []));
  const headers = after("-H").map((header) => /^([^:;]+)(?:: (.*)|;)$/s.exec(header).slice(1));
  const named = Object.fromEntries(headers.map(([name, value = ""]) => [name, value]));
  return [words.find((word) => word.startsWith(endpoint)), named, ...after("--data-raw")];
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
  page.setDefaultTimeout(60_000);
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
  const { resources } = (await call("GET", "/_mock/v1/resources")).body;
  const tab = (name) => page.locator(`[role=tab][value="${name}"]`);
  const chosen = async (name) => {
    await page.locator(`[role=tab][value="${name}"][aria-selected=true]`).waitFor();
    assert.strictEqual(await page.locator("[role=tab][aria-selected=true]").count(), 1);
  };
  const records = async (name) => (await call("GET", `/_mock/v1/projects/default/${name}?limit=100`)).body;
  const counted = (name, count) => tab(name).getByText(String(count), { exact: true }).waitFor();
  const record = (id) => page.locator("#records tbody", { hasText: id });
  const entry = (status, hasText) =>
    page.locator("#journal .call", { has: page.locator(".code", { hasText: status }), hasText }).first();
  const faults = page.locator("#faults li");
  const clock = async () => (await call("GET", "/_mock/v1/clock?project_id=default")).body;

  await check("the page opens, connects, and has a tab for each resource, the first chosen", async () => {
    await page.getByText("Live", { exact: true }).waitFor();
    const tabs = await page.getByRole("tab").evaluateAll((found) => found.map(({ value }) => value));
    assert.deepStrictEqual(tabs, resources.map(({ name }) => name));
    await chosen(tabs[0]);
  });

  for (const { name, create } of resources) {
    await check(`${name}: the command in an empty tab creates one, and the columns are its fields`, async () => {
      await tab(name).click();
      await chosen(name);
      if ((await records(name)).total === 0) {
        await page.locator("#records-empty").waitFor();
        assert.strictEqual(await page.locator("#records-curl").isVisible(), create !== null);
      }
      const isCalled = create && !create.path.includes("{");
      if (isCalled && (await records(name)).total === 0) {
        const command = await page.locator("#records-curl").textContent();
        assert(command.includes(`'${endpoint}${create.path}'`), command);
        const [url, headers, body] = requestOf(argumentsOf(command));
        const answer = await fetch(url, { method: "POST", headers, body });
        assert(answer.ok, `${answer.status} for ${command}`);
        await record((await answer.json()).id).waitFor();
      }
      const { records: shown, total } = await records(name);
      await counted(name, total);
      if (shown.length) await page.locator("#records tbody").nth(shown.length - 1).waitFor({ state: "attached" });
      const heads = await page.locator("#records th").allTextContents();
      const fields = new Set(shown.flatMap(Object.keys));
      assert.deepStrictEqual(heads.flatMap((head) => head.split(" and ")).sort(),
        [...fields].map((field) => field.replaceAll(/[-_]/g, " ")).sort());
    });
  }

  await check("a row unfolds to the whole record", async () => {
    const { name } = resources[0];
    await tab(name).click();
    await chosen(name);
    await page.locator("#records .name").first().click();
    const whole = page.locator("#records .more pre").first();
    await whole.waitFor();
    const [first] = (await records(name)).records;
    assert.deepStrictEqual(JSON.parse(await whole.textContent()), first);
  });

  await check("the keyboard goes from tab to tab, and a reload keeps the tab", async () => {
    const last = resources.at(-1).name;
    await tab(resources[0].name).focus();
    await page.keyboard.press("ArrowLeft");
    await chosen(last);
    await tab(last).and(page.locator(":focus")).waitFor();
    await page.reload();
    await page.getByText("Live", { exact: true }).waitFor();
    await chosen(last);
    await tab(last).focus();
    await page.keyboard.press("Home");
    await chosen(resources[0].name);
    await page.goBack();
    await chosen(last);
    await tab(resources[0].name).click();
    await chosen(resources[0].name);
  });

  await check("a new access client and its call appear by themselves", async () => {
    await page.evaluate(() => (window.isSamePage = true));
    const { body } = await call("POST", COLLECTION, { name: "from-a-browser-test" });
    await record(body.id).getByText("from-a-browser-test").first().waitFor();
    await entry("200", "CreateAccessClientInfo").waitFor();
    assert(await page.evaluate(() => window.isSamePage), "the page was loaded again");
  });

  await check("a call opens to why it was rejected", async () => {
    await call("POST", COLLECTION, { name: "" });
    const rejected = entry("400", "CreateAccessClientInfo");
    await rejected.locator("summary").click();
    assert(await rejected.locator(".reason").textContent());
    await rejected.getByText("common.01000001").first().waitFor();
  });

  await check("a call of a caller that is not known is shown, and marked", async () => {
    const { status } = await call("GET", COLLECTION, undefined, { "x-auth-token": "mock-unknown" });
    assert.strictEqual(status, 401);
    const rejected = entry("401", "caller not known");
    await rejected.locator("summary").click();
    assert(await rejected.locator(".reason").textContent());
  });

  await check("the journal can be cleared, and such calls go too", async () => {
    await page.getByRole("button", { name: "Clear", exact: true }).click();
    await page.locator("#journal-empty").waitFor();
    await call("GET", COLLECTION);
    await entry("200", "ListVpcepClient").waitFor();
    assert.strictEqual(await page.locator("#journal .call").count(), 1);
  });

  await check("the command of a call is quoted, whatever a shell makes of its characters", async () => {
    const headers = { "x-$&'": "@", "content-type": "application/json" };
    // Of a method that no operation has, no body is read.
    for (const [method, body] of [["A&B|`C$D'E"], ["POST", "@/etc/'$(false)"]]) {
      const target = `${COLLECTION}${body ? "?" : "/"}a[1-3]{x,y}$(false)'%22&id=*`;
      await raw(`${method} ${target} HTTP/1.1\r\nhost: mock\r\nx-empty:\r\n`
        + Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join("")
        + `content-length: ${body?.length ?? 0}\r\nconnection: close\r\n\r\n${body ?? ""}`);
      const line = entry("40", target);
      await line.locator("summary").click();
      const words = argumentsOf(await line.locator(".copy code").textContent());
      assert.deepStrictEqual(words.slice(0, 6), ["-i", "--globoff", "--path-as-is", "-X", method, endpoint + target]);
      const wanted = [endpoint + target, { ...headers, "x-empty": "" }, ...(body ? [body] : [])];
      assert.deepStrictEqual(requestOf(words), wanted);
    }
  });

  await check("a fault for every project is shown, and can be removed", async () => {
    await call("POST", "/_mock/v1/faults", { then: { kind: "answer", status: 500 }, when: { client_id: "c-1" } });
    await call("GET", `${COLLECTION}/c-1`);
    await faults.filter({ hasText: "client_id c-1 · every project" }).getByText("matched 1, fired 1").waitFor();
    await faults.getByRole("button", { name: /^Remove/ }).click();
    await faults.waitFor({ state: "detached" });
    await page.locator("#faults-empty").waitFor();
  });

  await check("the switch 408 lets the next call fail, counts it, and the fault can be removed", async () => {
    const fault = page.getByRole("switch", { name: /^408/ });
    await fault.click();
    await page.locator("#switches [aria-checked=true]").first().waitFor();
    assert.strictEqual((await call("GET", COLLECTION)).status, 408);
    await faults.getByText("matched 1, fired 1").waitFor();
    await entry("408", "ListVpcepClient").getByText(/^fault \d/).waitFor();
    await faults.getByRole("button", { name: /^Remove/ }).click();
    await faults.waitFor({ state: "detached" });
    assert.strictEqual(await fault.getAttribute("aria-checked"), "false");
    assert.strictEqual((await call("GET", COLLECTION)).status, 200);
  });

  await check("the clock is frozen, and goes on by an hour", async () => {
    await page.getByRole("button", { name: "Freeze" }).click();
    await page.getByRole("button", { name: "Resume", exact: true }).waitFor();
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
  await faults.first().waitFor();
  await page.screenshot({ path: picture, fullPage: true, animations: "disabled" });

  await check("a reset, once confirmed, empties the project", async () => {
    await page.getByRole("button", { name: "Reset project…" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Reset project" }).click();
    await page.locator("#records-empty").waitFor();
    assert.strictEqual(await page.locator("#records tbody").count(), 0);
    assert.strictEqual((await records(resources[0].name)).total, 0);
  });

  await page.close();
  await check("the reference shows the operations", async () => {
    const reference = await open(context, "/_mock/reference/");
    await reference.locator(".opblock", { hasText: "Create an access client" }).first().waitFor();
    const { paths } = (await call("GET", "/_mock/openapi.json")).body;
    const operations = Object.values(paths).flatMap(Object.values).filter(({ operationId }) => operationId);
    await reference.locator(".opblock").nth(operations.length - 1).waitFor();
    assert.strictEqual(await reference.locator(".opblock").count(), operations.length);
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
