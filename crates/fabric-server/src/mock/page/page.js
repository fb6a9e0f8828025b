// The page at /_mock/: shows one project of the mock server, live, and steers it. What comes from the server
// is only ever set as text.

const ROWS = 200;
const PAGE = 100;
const CONTRACT = "/v1/access-clients";
/** How much the journal keeps of a body. */
const BODY = 65_536;
const TOKEN = "fabric-mock-control-token";

const $ = (id) => document.getElementById(id);
const sleep = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

/** An element with its properties or attributes, and its children; a string becomes text. */
function make(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (/^(aria|data)-|^role$/.test(name)) made.setAttribute(name, value);
    else made[name] = value;
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

/**
 * Makes the keyed children of `parent` those of `items`, and leaves alone what did not change: what has
 * the focus keeps it.
 */
function reconcile(parent, items, key, build, isFirst) {
  const wanted = new Set(items.map(key));
  for (const node of [...parent.children]) if (node.key && !wanted.has(node.key)) node.remove();
  const old = new Map([...parent.children].filter((node) => node.key).map((node) => [node.key, node]));
  let place = old.values().next().value ?? null;
  for (const item of items) {
    const version = JSON.stringify(item);
    let node = old.get(key(item));
    if (node?.version !== version) {
      const fresh = build(item);
      Object.assign(fresh, { key: key(item), version });
      if (!isFirst) fresh.classList.add("changed");
      if (node) {
        const hadFocus = node.contains(document.activeElement);
        if (node === place) place = fresh;
        node.replaceWith(fresh);
        if (hadFocus) fresh.querySelector("button")?.focus();
      }
      node = fresh;
    }
    if (node === place) place = node.nextElementSibling;
    else parent.insertBefore(node, place);
  }
}

/** Runs a task soon after it is asked for, never twice at once, and once more if it was asked for meanwhile. */
function paced(milliseconds, task) {
  let timer = null;
  let isRunning = false;
  let isWanted = false;
  const ask = () => {
    if (isRunning) isWanted = true;
    else timer ??= setTimeout(run, milliseconds);
  };
  async function run() {
    timer = null;
    isRunning = true;
    await attempt(task);
    isRunning = false;
    if (isWanted) ask();
    isWanted = false;
  }
  return ask;
}

// Calls of the control API

/** The server answered, and refused. */
class Refused extends Error {}
class NoToken extends Refused {}

let asking = null;

/** Asks for the control token, once for all calls that were refused with the same one. */
async function askForToken(refused) {
  if (sessionStorage.getItem(TOKEN) !== refused) return;
  $("token-text").textContent = refused
    ? "The server does not know that token."
    : "This server asks for its control token. It is kept until this tab is closed.";
  $("token").value = "";
  asking ??= ask("token-dialog").finally(() => (asking = null));
  if (!(await asking)) throw new NoToken("The server asks for its control token");
  sessionStorage.setItem(TOKEN, $("token").value);
}

async function send(method, path, body, signal) {
  for (;;) {
    const token = sessionStorage.getItem(TOKEN);
    const headers = {};
    if (token) headers.authorization = `Bearer ${token}`;
    if (body !== undefined) headers["content-type"] = "application/json";
    const sent = body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body);
    const answer = await fetch(`v1/${path}`, { method, headers, body: sent, signal, cache: "no-store" });
    if (answer.ok) return answer;
    if (answer.status === 401) {
      await askForToken(token);
      continue;
    }
    const text = await answer.json().then((json) => json.error, () => null);
    throw new Refused(text ?? `${method} ${path} was answered with ${answer.status}`);
  }
}

async function call(method, path, body) {
  const answer = await send(method, path, body);
  return answer.status === 204 ? null : answer.json();
}

/** A path with the project, and what else is given, in its query. */
function query(path, parameters = {}) {
  const given = Object.entries(parameters).filter(([, value]) => value !== "" && value !== null);
  return `${path}?${new URLSearchParams([["project_id", project], ...given])}`;
}

/** Shows what went wrong; whether the server can be reached, the connection says already. */
async function attempt(task) {
  try {
    return await task();
  } catch (error) {
    if (error instanceof TypeError && /fetch|network|load/i.test(error.message)) return;
    complain(error.message);
  }
}

function complain(text) {
  const close = make("button", { type: "button", "aria-label": "Close", onclick: () => message.remove() }, "×");
  const message = make("p", {}, text, close);
  $("messages").replaceChildren(message);
}

/** Runs what a button stands for: what it changes is shown at once. */
async function act(task) {
  $("messages").replaceChildren();
  await attempt(task);
  refresh();
  refreshRest();
}

/** Opens a dialog; true if it was ended with yes. */
function ask(id) {
  const dialog = $(id);
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((done) => {
    dialog.addEventListener("close", () => done(dialog.returnValue === "yes"), { once: true });
  });
}

function confirm(title, text, yes) {
  $("confirm-title").textContent = title;
  $("confirm-text").textContent = text;
  $("confirm-yes").textContent = yes;
  return ask("confirm-dialog");
}

// Text

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
const plural = (count, what) => `${count} ${what}${count === 1 ? "" : "s"}`;
const tokens = new Map();
const SAMPLE = '{"name":"analytics-1"}';

/** The command that lists the access clients of a project, or creates one. */
function curl(id, body) {
  const parts = [`curl -s ${location.origin}${CONTRACT}`];
  if (id !== "default") parts.push(`-H ${quoted(`X-Project-Id: ${id}`)}`);
  if (tokens.has(id)) parts.push(`-H ${quoted(`X-Auth-Token: ${tokens.get(id)}`)}`);
  if (body) parts.push("-H 'Content-Type: application/json'", `-d ${quoted(body)}`);
  return parts.join(" ");
}

/** A call of the journal as a command. What was redacted cannot be said again, but for the token. */
function curlOf(entry) {
  const parts = [`curl -i -X ${entry.method} ${quoted(location.origin + entry.target)}`];
  const made = ["host", "content-length", "connection", "accept", "accept-encoding", "user-agent"];
  for (const [name, value] of Object.entries(entry.headers ?? {})) {
    if (name === "x-auth-token") parts.push(`-H "${name}: $FABRIC_AUTH_TOKEN"`);
    else if (!made.includes(name) && value !== "[redacted]") parts.push(`-H ${quoted(`${name}: ${value}`)}`);
  }
  if (entry.body !== null) parts.push(`-d ${quoted(text(entry.body, 0))}`);
  return parts.join(" ");
}

function text(body, indent) {
  return typeof body === "string" ? body : JSON.stringify(body, null, indent);
}

function bytes(count) {
  for (const [unit, size] of [["MiB", 1048576], ["KiB", 1024]]) {
    if (count >= size) return `${(count / size).toFixed(count < 10 * size && count % size ? 1 : 0)} ${unit}`;
  }
  return `${count} B`;
}

function duration(microseconds) {
  if (microseconds < 1000) return `${microseconds} µs`;
  if (microseconds < 1e6) return `${Number((microseconds / 1000).toFixed(1))} ms`;
  return `${Number((microseconds / 1e6).toFixed(2))} s`;
}

const date = (time) => `${time.slice(0, 10)} ${time.slice(11, 19)}`;

async function copy(button) {
  const source = button.parentElement.querySelector("code");
  try {
    await navigator.clipboard.writeText(source.textContent);
    button.textContent = "Copied";
    await sleep(1500);
    button.textContent = "Copy";
  } catch {
    // Pages that are not secure have no clipboard.
    getSelection().selectAllChildren(source);
  }
}

const copyable = (content) =>
  make("div", { className: "copy" }, make("code", {}, content), make("button", { type: "button" }, "Copy"));

// Projects

let project = "default";

async function loadProjects() {
  const { projects } = await call("GET", "projects");
  const found = projects.map(({ project_id, access_clients }) => ({ project_id, access_clients }));
  if (!found.some((one) => one.project_id === project)) found.push({ project_id: project, access_clients: 0 });
  reconcile($("project"), found, (one) => one.project_id, ({ project_id, access_clients }) =>
    make("option", { value: project_id }, `${project_id} (${access_clients})`), true);
  $("project").value = project;
  $("end-project").disabled = project === "default";
  return projects;
}

const select = (id) => (location.hash = `#${encodeURIComponent(id)}`);

async function createProject() {
  $("project-id").value = "";
  $("project-copy").checked = false;
  $("project-from").textContent = project;
  if (!(await ask("project-dialog"))) return;
  const wanted = {};
  if ($("project-id").value.trim()) wanted.project_id = $("project-id").value.trim();
  if ($("project-copy").checked) wanted.from = project;
  const made = await call("POST", "projects", wanted);
  tokens.set(made.project_id, made.token);
  select(made.project_id);
  $("made-title").textContent = `Project ${made.project_id}`;
  $("made-curl").textContent = curl(made.project_id, SAMPLE);
  await ask("made-dialog");
}

async function endProject() {
  const ended = project;
  const text = "Its access clients, calls and faults are gone then, and its token is no longer let in.";
  if (!(await confirm(`End project ${ended}?`, text, "End project"))) return;
  await call("DELETE", `projects/${encodeURIComponent(ended)}`);
  tokens.delete(ended);
  select("default");
}

// Access clients

let offset = 0;
let isMoving = false;
let shown = null;
const opened = new Set();

async function loadRecords() {
  const asked = project;
  const path = `projects/${encodeURIComponent(asked)}/access-clients?offset=${offset}&limit=${PAGE}`;
  const { access_client_infos: records, total } = await call("GET", path);
  if (asked !== project) return;
  if (offset && offset >= total) {
    offset = 0;
    return loadRecords();
  }
  reconcile($("records"), records, (record) => record.id, row, shown !== asked);
  shown = asked;
  // Only the clock ends these, and no call tells of it.
  isMoving = records.some(({ status }) => status === "CREATING" || status === "DELETING");
  $("records-count").textContent = total || "";
  $("records-box").hidden = total === 0;
  $("records-empty").hidden = total !== 0;
  $("records-curl").textContent = curl(project, SAMPLE);
  $("records-pages").hidden = total <= PAGE;
  $("records-newer").disabled = offset === 0;
  $("records-older").disabled = offset + PAGE >= total;
}

function row(record) {
  const name = make("button", { type: "button", className: "name", "aria-expanded": opened.has(record.id) },
    record.name ?? "no name");
  const more = make("tr", { hidden: !opened.has(record.id), className: "more" },
    make("td", { colSpan: 6 }, make("pre", {}, JSON.stringify(record, null, 2))));
  name.onclick = () => {
    more.hidden = !more.hidden;
    name.setAttribute("aria-expanded", !more.hidden);
    if (more.hidden) opened.delete(record.id);
    else opened.add(record.id);
  };
  const subnets = record.subnet_ids ?? [];
  const created = record.create_time ?? "";
  return make("tbody", {}, make("tr", {},
    make("td", {}, name, make("code", {}, record.id)),
    make("td", {}, make("span", { className: "status", "data-status": record.status }, record.status ?? "–")),
    make("td", { className: "wide" }, make("code", { title: record.vpc_id ?? "" }, record.vpc_id ?? "–")),
    make("td", { className: "wide wider" }, make("code", { title: subnets.join("\n") },
      subnets.length > 1 ? `${subnets[0]} + ${subnets.length - 1}` : subnets[0] ?? "–")),
    make("td", { className: "wide wider" }, String(record.access_connections?.length || "–")),
    make("td", { className: "wide" }, make("time", { dateTime: created }, created && date(created)))), more);
}

// The journal

let last = 0;
let forgotten = 0;
let arrived = [];

const isShown = (entry) => {
  const operation = $("journal-operation").value;
  if (operation && entry.operation !== operation) return false;
  return !$("journal-failures").checked || entry.status === null || entry.status >= 400;
};

async function loadJournal() {
  const [asked, before] = [project, last];
  const parameters = { operation: $("journal-operation").value, limit: ROWS };
  const found = await call("GET", query("journal", parameters));
  if (asked !== project) return;
  const newest = found.entries[0]?.sequence ?? 0;
  // Of what arrived meanwhile, the answer may lack some.
  const isNewer = ({ sequence }) => sequence > Math.max(before, newest);
  const kept = [...$("journal").children].filter(isNewer);
  arrived = arrived.filter(isNewer);
  last = Math.max(newest, arrived.at(-1)?.sequence ?? 0, kept[0]?.sequence ?? 0);
  forgotten = found.forgotten;
  $("journal").replaceChildren(...kept, ...found.entries.filter(isShown).map(line));
  showArrived();
}

async function loadForgotten() {
  ({ forgotten } = await call("GET", query("journal", { limit: 1 })));
  schedule();
}

const schedule = paced(40, async () => showArrived());

function receive(entry) {
  if (entry.sequence <= last) return;
  last = entry.sequence;
  arrived.push(entry);
  if (arrived.length > ROWS) arrived.shift();
  schedule();
  refresh();
  refreshRest();
}

function showArrived() {
  const lines = arrived.filter(isShown).reverse().map(line);
  arrived = [];
  const list = $("journal");
  // Reading on below, nobody wants the rows to move away.
  const bottom = list.scrollHeight - list.scrollTop;
  for (const one of lines) one.classList.add("changed");
  list.prepend(...lines);
  if (list.scrollTop > 0) list.scrollTop = list.scrollHeight - bottom;
  while (list.childElementCount > ROWS) list.lastElementChild.remove();
  const isEmpty = list.childElementCount === 0;
  list.hidden = isEmpty;
  $("journal-empty").hidden = !isEmpty;
  const isFiltered = $("journal-operation").value || $("journal-failures").checked;
  $("journal-empty-text").textContent = isFiltered
    ? `None of the last ${ROWS} calls is such a one. The next will appear here.`
    : "No calls yet. Each call to this project appears here as it is made, such as:";
  $("journal-empty").querySelector(".copy").hidden = Boolean(isFiltered);
  $("journal-curl").textContent = curl(project);
  $("journal-note").textContent = forgotten ? `${plural(forgotten, "older one")} forgotten` : "";
}

function line(entry) {
  const kind = entry.status === null ? "none" : String(entry.status)[0];
  const details = make("details", { className: "call", sequence: entry.sequence },
    make("summary", {},
      make("time", { dateTime: entry.time, title: entry.time }, entry.time.slice(11, 23)),
      make("span", { className: "code", "data-kind": kind }, String(entry.status ?? "no answer")),
      make("b", {}, entry.operation ?? "no operation"),
      entry.fault === null ? null
        : make("span", { className: "tag" }, entry.fault ? `fault ${entry.fault}` : "fault in header"),
      make("code", { className: "target", title: entry.target }, `${entry.method} ${entry.target}`),
      make("span", { className: "duration" }, duration(entry.microseconds))));
  details.addEventListener("toggle", () => details.append(...inside(entry)), { once: true });
  return details;
}

function inside(entry) {
  const part = (title, ...content) => make("div", { className: "part" }, make("h3", {}, title), ...content);
  const quiet = (words) => make("p", { className: "quiet" }, words);
  const shownBody = (body) => (body === null ? quiet("empty") : make("pre", {}, text(body, 2)));
  const headers = Object.entries(entry.headers ?? {})
    .flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, String(value))]);
  const answer = entry.status === null ? quiet("none was sent") : shownBody(entry.answer);
  const code = entry.error_code ? ` ${entry.error_code}` : "";
  const cut = entry.body_bytes > BODY ? `, the beginning of ${bytes(entry.body_bytes)}` : "";
  return [
    entry.reason ? make("p", { className: "reason" }, entry.reason) : null,
    make("div", { className: "parts" },
      part(`Request${cut}`, shownBody(entry.body)), part(`Answer ${entry.status ?? ""}${code}`, answer)),
    entry.signature ? signature(entry.signature) : null,
    part("Headers", make("dl", {}, ...headers, make("dt", {}, "request id"), make("dd", {}, entry.request_id))),
    part("Again", copyable(curlOf(entry))),
  ].filter(Boolean);
}

/** What was signed, line by line, and where the caller's begins to differ. */
function signature({ canonical_request, canonical_request_of_caller, first_difference }) {
  const form = (title, content) => make("div", { className: "part" }, make("h3", {}, title),
    make("pre", {}, ...content.split("\n").map((one, index) =>
      make(index + 1 === first_difference ? "mark" : "span", {}, `${one}\n`))));
  return make("div", { className: "parts" },
    form("Canonical request, as the server reads it", canonical_request),
    canonical_request_of_caller ? form("As the caller does", canonical_request_of_caller) : "");
}

// Faults

const SWITCHES = [
  ["408", "request timed out", { then: { kind: "answer", status: 408 } }],
  ["500", "service at fault", { then: { kind: "answer", status: 500 } }],
  ["429", "throttled for 2 s", { then: { kind: "throttle", retry_after_seconds: 2 } }],
  ["Slow 2 s", "right answer, late", { delay: { kind: "fixed", milliseconds: 2000 } }],
  ["Reset", "connection torn down", { then: { kind: "reset" } }],
  ["Hang", "no answer, ever", { then: { kind: "hang" } }],
];
const MORE_SWITCHES = [
  ["Drop", "closed, no answer", { then: { kind: "drop" } }],
  ["Truncate", "answer breaks off", { then: { kind: "truncate" } }],
  ["Corrupt", "answer garbled", { then: { kind: "corrupt" } }],
  ["Trickle", "answer drips in", { then: { kind: "trickle" } }],
];

/** What a rule does, in the words of its switch. */
function effectOf({ delay, then }) {
  const slow = delay && {
    fixed: ({ milliseconds }) => `Slow ${duration(milliseconds * 1000)}`,
    uniform: ({ minimum_milliseconds: from, maximum_milliseconds: to }) => `Slow ${from} to ${to} ms`,
    log_normal: ({ median_milliseconds }) => `Slow about ${median_milliseconds} ms`,
  }[delay.kind]?.(delay);
  const isSame = (other) => other?.kind === then.kind && (then.kind !== "answer" || other.status === then.status);
  const known = then && [...SWITCHES, ...MORE_SWITCHES].find(([, , effect]) => isSame(effect.then));
  return [slow, known?.[0] ?? then?.status ?? then?.kind].filter(Boolean).join(", then ") || "Nothing";
}

let rules = [];
const isSpent = ({ when, fired }) => Boolean(when?.times && fired >= when.times);

async function loadFaults() {
  const asked = project;
  const { faults } = await call("GET", query("faults"));
  if (asked !== project) return;
  rules = faults;
  reconcile($("faults"), rules, (rule) => String(rule.id), ruleLine, shown !== asked);
  $("faults-empty").hidden = rules.length > 0;
  $("faults-clear").hidden = rules.length < 2;
  showSwitches();
}

function ruleLine(rule) {
  const { when = {}, then } = rule;
  const terms = [
    when.operation ?? "every operation",
    when.times && plural(when.times, "time"),
    when.call && `call ${when.call}`,
    typeof when.probability === "number" && `${Number((when.probability * 100).toFixed(1))} % of calls`,
    when.client_id && `only ${when.client_id}`,
    when.from && `from ${date(when.from)}`,
    when.until && `until ${date(when.until)}`,
    then && rule.write === "kept" && "write kept",
    !when.project_id && "all projects",
  ].filter(Boolean);
  return make("li", { className: isSpent(rule) ? "spent" : "" },
    make("div", {},
      make("b", {}, effectOf(rule)),
      make("p", {}, terms.join(" · ")),
      make("p", { className: "quiet" }, `rule ${rule.id} · matched ${rule.matched}, fired ${rule.fired}`,
        isSpent(rule) ? " · used up" : "")),
    make("button", { type: "button", "aria-label": `Remove rule ${rule.id}`,
      onclick: () => act(() => call("DELETE", `faults/${rule.id}`)) }, "Remove"));
}

/** The rules that a switch has set for the operation that is selected. */
function rulesOf(effect) {
  const operation = $("fault-operation").value;
  return rules.filter(({ when, delay, then }) =>
    (when?.operation ?? "") === operation && when?.project_id === project
    && then?.kind === effect.then?.kind && then?.status === effect.then?.status
    && delay?.kind === effect.delay?.kind && delay?.milliseconds === effect.delay?.milliseconds);
}

function showSwitches() {
  for (const button of document.querySelectorAll(".switches button")) {
    button.setAttribute("aria-checked", rulesOf(button.effect).some((rule) => !isSpent(rule)));
  }
}

async function flip(effect) {
  const set = rulesOf(effect);
  for (const rule of set) await call("DELETE", `faults/${rule.id}`);
  if (set.some((rule) => !isSpent(rule))) return;
  const when = { project_id: project };
  if ($("fault-operation").value) when.operation = $("fault-operation").value;
  if ($("fault-times").value) when.times = Number($("fault-times").value);
  // Without a word, the server decides by what the caller is to see.
  const isKept = effect.then && $("fault-kept").checked;
  await call("POST", "faults", isKept ? { when, ...effect, write: "kept" } : { when, ...effect });
}

async function addRule() {
  const rule = JSON.parse($("fault-rule").value);
  await call("POST", "faults", { ...rule, when: { project_id: project, ...rule.when } });
}

for (const [id, switches] of [["switches", SWITCHES], ["more-switches", MORE_SWITCHES]]) {
  $(id).append(...switches.map(([title, words, effect]) =>
    make("button", { type: "button", role: "switch", "aria-checked": "false", effect,
      onclick: () => act(() => flip(effect)) }, make("b", {}, title), " ", make("small", {}, words))));
}

// The clock

let clock = null;

function showClock(answer) {
  clock = { at: Date.parse(answer.time), read: performance.now(), isFrozen: answer.frozen };
  const isShifted = !/^[-+]?0(s|ms)?$/.test(answer.offset);
  const shift = isShifted ? ` ${/^[-+]/.test(answer.offset) ? "" : "+"}${answer.offset}` : "";
  $("clock-state").textContent = answer.frozen ? "frozen" : `system time${shift}`;
  $("clock-freeze").textContent = answer.frozen ? "Run" : "Freeze";
  $("clock-system").disabled = !answer.frozen && !isShifted;
  tick();
}

function tick() {
  if (!clock) return;
  const now = new Date(clock.at + (clock.isFrozen ? 0 : performance.now() - clock.read)).toISOString();
  const shownTime = `${date(now)} UTC`;
  if ($("clock").textContent !== shownTime) $("clock").textContent = shownTime;
  $("clock").dateTime = now;
  $("clock").classList.toggle("frozen", clock.isFrozen);
}

const loadClock = async () => showClock(await call("GET", query("clock")));
const setClock = (change) => act(async () => showClock(await call("PUT", query("clock"), change)));

// Coverage, and what the server says of itself

async function loadCoverage() {
  const { covered, total, operations } = await call("GET", "coverage");
  $("coverage-count").textContent = `${covered} of ${total}`;
  $("coverage-meter").value = total ? covered / total : 0;
  reconcile($("coverage"), operations, (one) => one.operation, ({ operation, answers }) =>
    make("div", { className: "operation" },
      make("p", {}, operation,
        make("span", {}, plural(answers.reduce((sum, { calls }) => sum + calls, 0), "call"))),
      make("ul", {}, ...answers.map(({ status, error_code, is_documented, calls }) => {
        const times = `${calls ? plural(calls, "call") : "not yet"}${is_documented ? "" : ", not documented"}`;
        const shownStatus = String(status ?? "none");
        return make("li", { className: !is_documented ? "other" : calls ? "covered" : "",
          title: `${shownStatus} ${error_code ?? ""}: ${times}` },
        shownStatus, make("span", { className: "unseen" }, ` ${error_code ?? ""}: ${times}`));
      }))), true);
  for (const id of ["journal-operation", "fault-operation"]) {
    if ($(id).options.length > 1) continue;
    $(id).append(...operations.map(({ operation }) => make("option", {}, operation)));
  }
}

let counted = 0;

async function loadStatus() {
  const text = await (await send("GET", "status")).text();
  const { version, journal } = JSON.parse(text);
  // Numbers of JavaScript have no room for it.
  const seed = /"rng_seed":\s*(\d+)/.exec(text)?.[1];
  const kept = journal.is_on
    ? `keeps ${plural(journal.entries, "call")} in ${bytes(journal.bytes)} of ${bytes(journal.limit)}`
    : "keeps no journal";
  $("server").textContent = `Version ${version}, seed ${seed}, ${kept}.`;
  // Somebody else has cleared it.
  if (journal.entries + journal.forgotten < counted) await loadJournal();
  counted = journal.entries + journal.forgotten;
  return journal.is_on;
}

// Live

const refresh = paced(60, () => Promise.all([loadRecords(), loadFaults()]));
const refreshRest = paced(500, () => Promise.all([loadProjects(), loadCoverage(), loadClock(), loadStatus()]));

function showConnection(state, words, next = "", action = "") {
  $("connection").dataset.state = state;
  $("connection-next").textContent = next;
  if ($("connection-text").textContent !== words) $("connection-text").textContent = words;
  $("connect").textContent = action;
  $("connect").hidden = !action;
}

/** Follows the journal until the server ends it. */
async function follow(signal) {
  const answer = await send("GET", query("journal/stream", { after: last }), undefined, signal);
  showConnection("live", "Live");
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const blocks = (rest + value).split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) {
      const lines = block.split("\n");
      const field = (name) => lines.filter((one) => one.startsWith(name)).map((one) => one.slice(name.length).trim());
      const data = field("data:").join("\n");
      if (field("event:")[0] === "call") receive(JSON.parse(data));
      if (field("event:")[0] === "forgotten") attempt(loadForgotten);
    }
  }
}

/** Without a journal no event tells of anything, but what others do is looked up all the same. */
async function withoutJournal(signal) {
  showConnection("live", "Live, without a journal");
  $("journal-empty-text").textContent = "The journal is off: start the server without --journal-limit 0.";
  $("journal-empty").querySelector(".copy").hidden = true;
  while (!signal.aborted) {
    await sleep(1000);
    await send("GET", "status");
  }
}

let session = new AbortController();

/** Shows the project that the address names, from the beginning. */
async function enter() {
  session.abort();
  session = new AbortController();
  const { signal } = session;
  try {
    project = decodeURIComponent(location.hash.slice(1)) || "default";
  } catch {
    project = "default";
  }
  [offset, last, forgotten, arrived] = [0, 0, 0, []];
  opened.clear();
  $("journal").replaceChildren();
  $("messages").replaceChildren();
  let wait = 500;
  for (;;) {
    let trouble = "Connection lost";
    let isStuck = false;
    try {
      await Promise.all([loadProjects(), loadCoverage(), loadClock(), loadJournal()]);
      // Whether a rule is new, it takes from the records.
      await loadFaults();
      await loadRecords();
      if (!(await loadStatus())) await withoutJournal(signal);
      const begun = performance.now();
      await follow(signal);
      if (performance.now() - begun > 5000) wait = 500;
    } catch (error) {
      if (error instanceof Refused) trouble = error.message;
      isStuck = error instanceof NoToken;
    }
    if (signal.aborted) return;
    await pause(isStuck ? Infinity : wait, trouble, signal);
    if (signal.aborted) return;
    wait = Math.min(wait * 2, 10_000);
  }
}

/** Waits, and tells how long; the button ends it. */
async function pause(milliseconds, trouble, signal) {
  const until = performance.now() + milliseconds;
  let isOver = false;
  $("connect").onclick = () => (isOver = true);
  while (!isOver && !signal.aborted && performance.now() < until) {
    const left = Math.ceil((until - performance.now()) / 1000);
    if (left === Infinity) showConnection("lost", trouble, "", "Enter it");
    else showConnection("lost", trouble, `· trying again in ${left} s`, "Try now");
    await sleep(100);
  }
  if (!signal.aborted) showConnection("waiting", "Connecting");
}

// What others do through the control API no event tells.
setInterval(() => {
  const isLive = $("connection").dataset.state === "live" && !document.hidden;
  if (!isLive) return;
  refreshRest();
  refresh();
}, 3000);
setInterval(() => isMoving && !document.hidden && refresh(), 1000);
setInterval(tick, 100);

addEventListener("hashchange", enter);
document.addEventListener("click", ({ target }) => {
  if (target.matches(".copy button")) copy(target);
  if (target.matches(".cancel")) target.closest("dialog").close();
});
$("project").onchange = () => select($("project").value);
$("new-project").onclick = () => act(createProject);
$("end-project").onclick = () => act(endProject);
$("records-newer").onclick = () => act(async () => (offset = Math.max(0, offset - PAGE)));
$("records-older").onclick = () => act(async () => (offset += PAGE));
$("journal-operation").onchange = () => attempt(loadJournal);
$("journal-failures").onchange = () => attempt(loadJournal);
$("journal-clear").onclick = () => act(async () => {
  await call("DELETE", query("journal"));
  await loadJournal();
});
$("fault-operation").onchange = showSwitches;
$("faults-clear").onclick = () => act(() => call("DELETE", query("faults")));
$("fault-form").onsubmit = (event) => {
  event.preventDefault();
  act(addRule);
};
$("clock-freeze").onclick = () => setClock({ frozen: !clock?.isFrozen });
$("clock-system").onclick = () => act(async () => {
  await call("DELETE", query("clock"));
  await loadClock();
});
for (const button of document.querySelectorAll("[data-advance]")) {
  button.onclick = () => setClock({ advance: button.dataset.advance });
}
$("clock-form").onsubmit = (event) => {
  event.preventDefault();
  const to = $("clock-to").value.trim();
  setClock(/^\d{4}-/.test(to) ? { time: to } : { advance: to });
};
$("reset").onclick = () => act(async () => {
  const text = "It is again as it was when the server started. Other projects stay as they are.";
  if (!(await confirm(`Reset project ${project}?`, text, "Reset project"))) return;
  await call("POST", query("reset"));
  await loadJournal();
  await loadClock();
});

enter();
