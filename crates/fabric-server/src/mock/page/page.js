// The page at /_mock/: shows one project of the mock server, live, and steers it. What comes from the server
// is only ever set as text.

const ROWS = 200;
const PAGE = 100;
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

/** The server rejected the request. */
class Rejected extends Error {}
class NoToken extends Rejected {}

let asking = null;

/** Asks for the control token, once for all calls that were rejected with the same one. */
async function askForToken(rejected) {
  if (sessionStorage.getItem(TOKEN) !== rejected) return;
  $("token-text").textContent = rejected
    ? "The server does not know that token."
    : "This server asks for its control token. The browser keeps it until you close this tab.";
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
    throw new Rejected(text ?? `${method} ${path} was answered with ${answer.status}`);
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
const words = (name) => name.replaceAll(/[-_]/g, " ");
const title = (text) => text[0].toUpperCase() + text.slice(1);
/** The tokens of projects that were created on this page. */
const tokens = new Map();

/** A command that calls the service as a project, and what it creates if it does. */
function curl(id, path, body) {
  const parts = [`curl -sg ${quoted(location.origin + path)}`];
  if (id !== "default") parts.push(`-H ${quoted(`X-Project-Id: ${id}`)}`);
  if (tokens.has(id)) parts.push(`-H ${quoted(`X-Auth-Token: ${tokens.get(id)}`)}`);
  if (body) parts.push("-H 'Content-Type: application/json'", `--data-raw ${quoted(JSON.stringify(body))}`);
  return parts.join(" ");
}

/** A path with the ids that it names, as far as the project has such records. */
async function filled(path) {
  const [, ...names] = path.split("{").map((part) => part.split("}")[0]);
  for (const name of names) {
    const owner = resources.find((one) => one.id_parameter === name);
    const of = owner && await call("GET", `projects/${encodeURIComponent(project)}/${owner.name}?limit=1`);
    const id = name === "project_id" ? project : of?.records[0]?.id;
    if (id) path = path.replace(`{${name}}`, encodeURIComponent(id));
  }
  return path;
}

/** Shows a command to copy, or hides where it would stand if there is none. */
function showCommand(id, command) {
  $(id).textContent = command ?? "";
  $(id).parentElement.hidden = !command;
}

/** A call of the journal as a command. What was redacted cannot be sent again, but for the token. */
function curlOf(entry) {
  // Methods and names of headers may hold what a shell reads, bodies what curl does.
  const parts = [`curl -i --globoff --path-as-is -X ${quoted(entry.method)} ${quoted(location.origin + entry.target)}`];
  const made = ["host", "content-length", "connection", "accept", "accept-encoding", "user-agent"];
  for (const [name, value] of Object.entries(entry.headers ?? {})) {
    // curl takes a name without a value for one to leave out, unless a semicolon ends it.
    const header = value ? `${name}: ${value}` : `${name};`;
    if (name === "x-auth-token") parts.push(`-H "${name}: $FABRIC_AUTH_TOKEN"`);
    else if (!made.includes(name) && value !== "[redacted]") parts.push(`-H ${quoted(header)}`);
  }
  if (entry.body !== null) parts.push(`--data-raw ${quoted(text(entry.body, 0))}`);
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

// What the address names

let project = "default";

/** The project and the resource that the address names. */
function address() {
  try {
    const [first, second = ""] = location.hash.slice(1).split("/").map(decodeURIComponent);
    return [first || "default", second];
  } catch {
    return ["default", ""];
  }
}

const select = (id, name = resource.name) =>
  (location.hash = `#${encodeURIComponent(id)}/${encodeURIComponent(name)}`);

// Projects

async function loadProjects() {
  const { projects } = await call("GET", "projects");
  const found = projects.map(({ project_id, records }) => ({ project_id, records }));
  if (!found.some((one) => one.project_id === project)) found.push({ project_id: project, records: {} });
  reconcile($("project"), found, (one) => one.project_id, ({ project_id, records }) =>
    make("option", { value: project_id },
      `${project_id} (${Object.values(records).reduce((sum, count) => sum + count, 0)})`), true);
  $("project").value = project;
  $("delete-project").disabled = project === "default";
  const { records } = found.find((one) => one.project_id === project);
  for (const { name } of resources) showCount(name, records[name]);
}

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
  $("made-curl").textContent = curl(made.project_id, resource.list_path ?? resource.create?.path ?? "/");
  await ask("made-dialog");
}

async function deleteProject() {
  const deleted = project;
  const text = "This deletes its records, calls and faults. Its token is rejected from then on.";
  if (!(await confirm(`Delete project ${deleted}?`, text, "Delete project"))) return;
  await call("DELETE", `projects/${encodeURIComponent(deleted)}`);
  tokens.delete(deleted);
  select("default");
}

// Resources and their records

let resources = [];
let resource = null;
let offset = 0;
let isMoving = false;
let columns = [];
const opened = new Set();

async function loadResources() {
  const found = (await call("GET", "resources")).resources;
  if (JSON.stringify(found) === JSON.stringify(resources)) return;
  resources = found;
  $("tabs").replaceChildren(...resources.map(({ name, description }) =>
    make("button", { type: "button", role: "tab", id: `tab-${name}`, value: name, title: description,
      "aria-controls": "panel", onclick: () => select(project, name) },
    title(words(name)), " ", make("span"))));
  choose(address()[1]);
}

/** Shows the records of a resource, from the first on. */
function choose(name) {
  resource = resources.find((one) => one.name === name) ?? resources[0];
  for (const tab of $("tabs").children) {
    const isChosen = tab.value === resource.name;
    tab.setAttribute("aria-selected", isChosen);
    tab.tabIndex = isChosen ? 0 : -1;
  }
  $("panel").setAttribute("aria-labelledby", `tab-${resource.name}`);
  [offset, isMoving] = [0, false];
  opened.clear();
  $("records-box").scrollTo(0, 0);
  for (const id of ["records-box", "records-empty", "records-pages"]) $(id).hidden = true;
  showColumns([]);
}

function showCount(name, count) {
  $(`tab-${name}`).lastElementChild.textContent = count ?? "";
}

async function loadRecords() {
  const [asked, of] = [project, resource];
  const path = `projects/${encodeURIComponent(asked)}/${encodeURIComponent(of.name)}`;
  const { records, total } = await call("GET", `${path}?offset=${offset}&limit=${PAGE}`);
  if (asked !== project || of !== resource) return;
  if (offset && offset >= total) {
    offset = 0;
    return loadRecords();
  }
  const isFirst = showColumns(columnsOf(records));
  const found = records.map((record, index) => ({ key: String(idOf(record) ?? offset + index), record }));
  reconcile($("records"), found, ({ key }) => key, row, isFirst);
  // Only the clock ends these, and no call tells of it.
  isMoving = records.some((record) => stateOf(statusOf(record)) === "moving");
  showCount(of.name, total);
  $("records-box").hidden = total === 0;
  $("records-empty").hidden = total !== 0;
  const none = `This project has no ${words(of.name)}.`;
  $("records-empty-text").textContent = of.create ? `${none} Create one, and it appears here:` : none;
  const target = of.create && await filled(of.create.path);
  if (asked !== project || of !== resource) return;
  showCommand("records-curl", target && curl(project, target, of.create.body));
  $("records-pages").hidden = total <= PAGE;
  $("records-newer").disabled = offset === 0;
  $("records-older").disabled = offset + PAGE >= total;
}

/** What most services call these fields; the contract says what else is an id. */
const STATUS = /^(status|state)$/;
const NAME = /^name$/;
const isId = (name) => name === "id" || name === resource.id_parameter;
const isTime = (value) => typeof value === "string" && /^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(value);
const fieldOf = (record, isWanted) => record[Object.keys(record).find(isWanted)] ?? null;
const idOf = (record) => fieldOf(record, isId);
const statusOf = (record) => fieldOf(record, (name) => STATUS.test(name));

/** What the words of a status tell: whether it changes by itself, and whether all is well. */
function stateOf(status) {
  if (/^(running|active|available|normal|enabled|ready|succe)/i.test(status)) return "good";
  if (/fail|error|abnormal/i.test(status)) return "failed";
  return /ing$/i.test(status) ? "moving" : "other";
}

/**
 * The columns of a table: each has the names of its fields. The first tells the records apart, then come
 * status and times, then the rest, those first that most records have.
 */
function columnsOf(records) {
  const fields = new Map();
  for (const [name, value] of records.flatMap(Object.entries)) {
    if (value === null) continue;
    const field = fields.get(name) ?? { name, count: 0, isTime: true };
    fields.set(name, { name, count: field.count + 1, isTime: field.isTime && isTime(value) });
  }
  const rank = ({ name, isTime }) => [NAME.test(name), isId(name), STATUS.test(name), isTime, true].indexOf(true);
  const sorted = [...fields.values()].sort((one, other) => rank(one) - rank(other) || other.count - one.count);
  const first = sorted.filter((field) => rank(field) < 2).slice(0, 2);
  const rest = sorted.filter((field) => !first.includes(field));
  if (!sorted.length) return [];
  if (!first.length) first.push(rest.shift());
  return [first, ...rest.map((field) => [field])].map((column) => column.map(({ name }) => name));
}

/** Sets the head of the table. True if it is another one; then no row is left. */
function showColumns(wanted) {
  if (JSON.stringify(wanted) === JSON.stringify(columns)) return false;
  columns = wanted;
  $("columns").replaceChildren(...columns.map((names) =>
    make("th", { scope: "col" }, names.map(words).join(" and "))));
  for (const body of [...$("records").tBodies]) body.remove();
  return true;
}

function row({ key, record }) {
  const [[first, second], ...rest] = columns;
  const name = make("button", { type: "button", className: "name", "aria-expanded": opened.has(key) },
    String(record[first] ?? `no ${words(first)}`));
  const more = make("tr", { hidden: !opened.has(key), className: "more" },
    make("td", { colSpan: columns.length }, make("pre", {}, text(record, 2))));
  name.onclick = () => {
    more.hidden = !more.hidden;
    name.setAttribute("aria-expanded", !more.hidden);
    if (more.hidden) opened.delete(key);
    else opened.add(key);
  };
  return make("tbody", {}, make("tr", {},
    make("td", {}, name, second && make("code", {}, String(record[second] ?? "–"))),
    ...rest.map(([field]) => make("td", {}, cell(field, record[field] ?? null)))), more);
}

/** A value in short, with the whole in its tooltip. */
function cell(field, value) {
  if (value === null || value.length === 0) return make("span", {}, "–");
  if (STATUS.test(field)) return make("span", { className: "status", "data-state": stateOf(value) }, String(value));
  if (isTime(value)) return make("time", { dateTime: value, title: value }, date(value));
  const whole = (one) => (typeof one === "object" ? JSON.stringify(one) : String(one));
  const short = (all, first, more = "") =>
    make("span", { className: "value", title: all }, make("span", {}, first), more);
  if (!Array.isArray(value)) return short(whole(value), whole(value));
  const all = value.map(whole).join("\n");
  if (typeof value[0] === "object") return short(all, String(value.length));
  return short(all, whole(value[0]), value.length > 1 ? ` + ${value.length - 1}` : "");
}

// The journal

let last = 0;
/** The last call before somebody cleared the journal here: calls of unknown callers are in it still. */
let cleared = 0;
let evicted = 0;
let arrived = [];
let isJournalOn = true;

const isShown = (entry) => {
  const operation = $("journal-operation").value;
  if (operation && entry.operation !== operation) return false;
  return !$("journal-failures").checked || entry.status === null || entry.status >= 400;
};

/** Tells calls apart, also those of servers that were started one after the other. */
const keyOf = ({ sequence, request_id }) => `${sequence} ${request_id}`;

async function loadJournal() {
  const [asked, before] = [project, last];
  const parameters = { unattributed: true, after: cleared, operation: $("journal-operation").value, limit: ROWS };
  const found = await call("GET", query("journal", parameters));
  if (asked !== project) return;
  const newest = found.entries[0]?.sequence ?? 0;
  // Of what arrived meanwhile, the answer may lack some.
  const isNewer = ({ sequence }) => sequence > Math.max(before, newest);
  const kept = [...$("journal").children].filter(isNewer);
  arrived = arrived.filter(isNewer);
  last = Math.max(cleared, newest, arrived.at(-1)?.sequence ?? 0, kept[0]?.sequence ?? 0);
  evicted = found.evicted;
  // What is unfolded stays so.
  const known = new Map([...$("journal").children].map((node) => [node.key, node]));
  for (const node of known.values()) node.classList.remove("changed");
  const lines = found.entries.filter(isShown).map((entry) => known.get(keyOf(entry)) ?? line(entry));
  $("journal").replaceChildren(...kept, ...lines);
  showArrived();
}

async function loadEvicted() {
  ({ evicted } = await call("GET", query("journal", { limit: 1 })));
  schedule();
}

/** Shows the journal again after this project's calls were cleared. */
async function afterClear() {
  [cleared, counted] = [last, 0];
  await loadJournal();
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
  $("journal-empty-text").textContent = !isJournalOn
    ? "The journal is off: start the server without --journal-limit 0."
    : isFiltered ? `None of the last ${ROWS} calls matches. The next that does will appear here.`
    : "No calls yet. Each call to this project appears here as it is made.";
  showCommand("journal-curl", isJournalOn && !isFiltered && resource.list_path && curl(project, resource.list_path));
  $("journal-note").textContent = evicted ? `${plural(evicted, "older one")} evicted` : "";
}

function line(entry) {
  const marks = [entry.project_id === null && "caller not known",
    entry.fault !== null && (entry.fault ? `fault ${entry.fault}` : "fault in header")].filter(Boolean);
  const kind = entry.status === null ? "none" : String(entry.status)[0];
  const details = make("details", { className: "call", key: keyOf(entry), sequence: entry.sequence },
    make("summary", {},
      make("time", { dateTime: entry.time, title: entry.time }, entry.time.slice(11, 23)),
      make("span", { className: "code", "data-kind": kind }, String(entry.status ?? "no answer")),
      make("b", {}, entry.operation ?? "no operation"),
      marks.length ? make("span", { className: "tag" }, marks.join(", ")) : null,
      make("code", { className: "target", title: entry.target }, `${entry.method} ${entry.target}`),
      make("span", { className: "duration" }, duration(entry.microseconds))));
  details.addEventListener("toggle", () => details.append(...inside(entry)), { once: true });
  return details;
}

function inside(entry) {
  const part = (title, ...content) => make("div", { className: "part" }, make("h3", {}, title), ...content);
  const quiet = (words) => make("p", { className: "quiet" }, words);
  const shownBody = (body) => (body === null ? quiet("empty") : make("pre", {}, text(body, 2)));
  const list = (pairs) => make("dl", {}, ...Object.entries(pairs)
    .flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, String(value))]));
  const parameters = entry.parameters ?? {};
  const answer = entry.status === null ? quiet("none was sent") : shownBody(entry.answer);
  const code = entry.error_code ? ` ${entry.error_code}` : "";
  const cut = entry.body_bytes > BODY ? `, the beginning of ${bytes(entry.body_bytes)}` : "";
  return [
    entry.reason ? make("p", { className: "reason" }, entry.reason) : null,
    make("div", { className: "parts" },
      part(`Request${cut}`, shownBody(entry.body)), part(`Answer ${entry.status ?? ""}${code}`, answer)),
    entry.signature ? signature(entry.signature) : null,
    Object.keys(parameters).length ? part("Path parameters", list(parameters)) : null,
    part("Headers", list({ ...entry.headers, "request id": entry.request_id })),
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
  ["Fails later", "what an endpoint's call begins", { outcome: "failed" }],
];

/** What a fault does, in the words of its switch. */
function effectOf({ delay, then, outcome }) {
  const slow = delay && {
    fixed: ({ milliseconds }) => `Slow ${duration(milliseconds * 1000)}`,
    uniform: ({ minimum_milliseconds: from, maximum_milliseconds: to }) => `Slow ${from} to ${to} ms`,
    log_normal: ({ median_milliseconds }) => `Slow about ${median_milliseconds} ms`,
  }[delay.kind]?.(delay);
  const isSame = (other) => other?.kind === then.kind && (then.kind !== "answer" || other.status === then.status);
  const known = then && [...SWITCHES, ...MORE_SWITCHES].find(([, , effect]) => isSame(effect.then));
  const later = outcome === "failed" && "Fails later";
  return [slow, known?.[0] ?? then?.status ?? then?.kind, later].filter(Boolean).join(", then ") || "Nothing";
}

let faults = [];
let faultsOf = null;
const isSpent = ({ when, fired }) => Boolean(when?.times && fired >= when.times);
const isOfAll = ({ when }) => !when?.project_id;

/** Loads the faults of the project, then those of every project: as the server looks at them. */
async function loadFaults() {
  const asked = project;
  const all = (await call("GET", "faults")).faults;
  if (asked !== project) return;
  faults = [...all.filter(({ when }) => when?.project_id === asked), ...all.filter(isOfAll)];
  reconcile($("faults"), faults, ({ id }) => String(id), faultLine, faultsOf !== asked);
  faultsOf = asked;
  $("faults-empty").hidden = faults.length > 0;
  $("faults-clear").hidden = faults.length < 2;
  showSwitches();
}

function faultLine(fault) {
  const { id, then, write, matched, fired } = fault;
  const { operation, project_id, call: number, times, probability, from, until, ...parameters } = fault.when ?? {};
  const terms = [
    operation ?? "every operation",
    ...Object.entries(parameters).map(([name, value]) => `${name} ${value}`),
    times && plural(times, "time"),
    number && `call ${number}`,
    typeof probability === "number" && `${Number((probability * 100).toFixed(1))} % of calls`,
    from && `from ${date(from)}`,
    until && `until ${date(until)}`,
    then && write === "kept" && "write kept",
    !project_id && "every project",
  ].filter(Boolean);
  return make("li", { className: isSpent(fault) ? "spent" : "" },
    make("div", {},
      make("b", {}, effectOf(fault)),
      make("p", {}, terms.join(" · ")),
      make("p", { className: "quiet" }, `fault ${id} · matched ${matched}, fired ${fired}`,
        isSpent(fault) ? " · used up" : "")),
    make("button", { type: "button", "aria-label": `Remove fault ${id}`,
      onclick: () => act(() => call("DELETE", `faults/${id}`)) }, "Remove"));
}

async function clearFaults() {
  for (const { id } of faults.filter(isOfAll)) await call("DELETE", `faults/${id}`);
  await call("DELETE", query("faults"));
}

/** The faults that a switch has added for the operation that is selected. */
function addedBy(effect) {
  const operation = $("fault-operation").value;
  return faults.filter(({ when, delay, then, outcome }) =>
    (when?.operation ?? "") === operation && when?.project_id === project
    && outcome === effect.outcome && then?.kind === effect.then?.kind && then?.status === effect.then?.status
    && delay?.kind === effect.delay?.kind && delay?.milliseconds === effect.delay?.milliseconds);
}

function showSwitches() {
  for (const button of document.querySelectorAll(".switches button")) {
    button.setAttribute("aria-checked", addedBy(button.effect).some((fault) => !isSpent(fault)));
  }
}

async function flip(effect) {
  const added = addedBy(effect);
  for (const { id } of added) await call("DELETE", `faults/${id}`);
  if (added.some((fault) => !isSpent(fault))) return;
  const when = { project_id: project };
  if ($("fault-operation").value) when.operation = $("fault-operation").value;
  if ($("fault-times").value) when.times = Number($("fault-times").value);
  // Without a word, the server decides by what the caller is to see.
  const isKept = effect.then && $("fault-kept").checked;
  await call("POST", "faults", isKept ? { when, ...effect, write: "kept" } : { when, ...effect });
}

async function addFault() {
  const fault = JSON.parse($("fault-json").value);
  await call("POST", "faults", { ...fault, when: { project_id: project, ...fault.when } });
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
  $("clock-freeze").textContent = answer.frozen ? "Resume" : "Freeze";
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
  const callsOf = ({ answers }) => answers.reduce((sum, { calls }) => sum + calls, 0);
  const block = ({ operation, answers }) =>
    make("div", { className: "operation" },
      make("p", {}, operation, make("span", {}, plural(callsOf({ answers }), "call"))),
      make("ul", {}, ...answers.map(({ status, error_code, is_documented, calls }) => {
        const times = `${calls ? plural(calls, "call") : "not yet"}${is_documented ? "" : ", not documented"}`;
        const shownStatus = String(status ?? "none");
        return make("li", { className: !is_documented ? "other" : calls ? "covered" : "",
          title: `${shownStatus} ${error_code ?? ""}: ${times}` },
        shownStatus, make("span", { className: "unseen" }, ` ${error_code ?? ""}: ${times}`));
      })));
  const rest = operations.filter((one) => !callsOf(one));
  reconcile($("coverage"), operations.filter(callsOf), (one) => one.operation, block, true);
  reconcile($("coverage-rest"), rest, (one) => one.operation, block, true);
  $("coverage-uncalled").hidden = !rest.length;
  $("coverage-uncalled-count").textContent = `${plural(rest.length, "operation")} without calls`;
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
  const seed = /"seed":\s*(\d+)/.exec(text)?.[1];
  const kept = journal.is_on
    ? `keeps ${plural(journal.entries, "call")} in ${bytes(journal.bytes)} of ${bytes(journal.limit)}`
    : "keeps no journal";
  $("server").textContent = `Version ${version}, seed ${seed}, ${kept}.`;
  // Somebody else has cleared it.
  if (journal.entries + journal.evicted < counted) await loadJournal();
  counted = journal.entries + journal.evicted;
  isJournalOn = journal.is_on;
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
  const answer = await send("GET", query("journal/stream", { unattributed: true, after: last }), undefined, signal);
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
      if (field("event:")[0] === "evicted") attempt(loadEvicted);
    }
  }
}

/** Without a journal no event tells of anything, but what others do is looked up all the same. */
async function withoutJournal(signal) {
  showConnection("live", "Live, without a journal");
  showArrived();
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
  const [id, name] = address();
  project = id;
  if (resource) choose(name);
  [last, evicted, arrived] = [0, 0, []];
  $("journal").replaceChildren();
  $("messages").replaceChildren();
  let wait = 500;
  for (;;) {
    let trouble = "Connection lost";
    let isStuck = false;
    try {
      // A server that was started again numbers its calls from 1.
      cleared = 0;
      await loadResources();
      await Promise.all([loadProjects(), loadCoverage(), loadClock(), loadJournal(), loadFaults(), loadRecords()]);
      await loadStatus();
      if (!isJournalOn) await withoutJournal(signal);
      const begun = performance.now();
      await follow(signal);
      if (performance.now() - begun > 5000) wait = 500;
    } catch (error) {
      if (error instanceof Rejected) trouble = error.message;
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

addEventListener("hashchange", () => {
  const [id, name] = address();
  if (id !== project || !resource) return enter();
  choose(name);
  showArrived();
  refresh();
});
document.addEventListener("click", ({ target }) => {
  if (target.matches(".copy button")) copy(target);
  if (target.matches(".cancel")) target.closest("dialog").close();
});
$("project").onchange = () => select($("project").value);
$("tabs").onkeydown = (event) => {
  const tabs = [...$("tabs").children];
  const at = tabs.indexOf(document.activeElement);
  const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: -1 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  const tab = tabs.at(to % tabs.length);
  tab.focus();
  tab.click();
};
$("new-project").onclick = () => act(createProject);
$("delete-project").onclick = () => act(deleteProject);
$("records-newer").onclick = () => act(async () => (offset = Math.max(0, offset - PAGE)));
$("records-older").onclick = () => act(async () => (offset += PAGE));
$("journal-operation").onchange = () => attempt(loadJournal);
$("journal-failures").onchange = () => attempt(loadJournal);
$("journal-clear").onclick = () => act(async () => {
  await call("DELETE", query("journal"));
  await afterClear();
});
$("fault-operation").onchange = showSwitches;
$("faults-clear").onclick = () => act(clearFaults);
$("fault-form").onsubmit = (event) => {
  event.preventDefault();
  act(addFault);
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
  const text = "It goes back to how the server started it. Other projects stay as they are.";
  if (!(await confirm(`Reset project ${project}?`, text, "Reset project"))) return;
  await call("POST", query("reset"));
  await afterClear();
  await loadClock();
});

enter();
