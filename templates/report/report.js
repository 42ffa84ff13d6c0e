// The list of samples: filtered, paged, filled in when opened. Text reaches the page through textContent alone.
// The state lives in the address bar: #samples?left=…&right=…&suite=…&measure=…&kind=…&diff=…&q=…&page=…&open=suite/id
const PAGE = 50;
const KINDS = {
  harmful: ["▼", "harmful"], mixed: ["◆", "mixed"], beneficial: ["▲", "beneficial"],
  unscored: ["?", "unscored"], same: ["＝", "same"],
};
const data = JSON.parse(document.getElementById("data").textContent);
const section = document.getElementById("samples");
const binary = binaryMeasures();
const form = section.querySelector("form");
const list = section.querySelector(".samples");
const pages = section.querySelector(".pages");
const status = section.querySelector("[role=status]");
let state = {};
let pair = { left: null, right: null };
let ordered = [];
let shown = [];

// ---- The address bar -------------------------------------------------------------------------------------------------

function readAddress() {
  const query = location.hash.startsWith("#samples?") ? location.hash.slice(9) : "";
  return Object.fromEntries(new URLSearchParams(query));
}

function address(values) {
  const query = new URLSearchParams(Object.entries(values).filter(([, value]) => value));
  return query.size === 0 ? "#samples" : `#samples?${query}`;
}

function change(values) {
  state = { ...state, ...values };
  history.replaceState(null, "", address(state));
  show();
}

// ---- Two arms ---------------------------------------------------------------------------------------------------------

// Places in data.arms: left is what right is held against, null where there is one arm alone.
function chosen() {
  if (data.arms.length < 2) return { left: null, right: data.arms.length - 1 };
  const [reference, candidate] = data.contrasts[0] ?? [0, 1];
  const place = (name, otherwise) => data.arms.includes(name) ? data.arms.indexOf(name) : otherwise;
  const left = place(state.left, reference), right = place(state.right, candidate);
  return left === right ? { left: reference, right: candidate } : { left, right };
}

// Whoever puts an arm on one side that lies on the other exchanges them.
function choose(name, value) {
  const { left, right } = pair;
  const place = data.arms.indexOf(value);
  const [l, r] = name === "left" ? [place, place === right ? left : right] : [place === left ? right : left, place];
  return { left: data.arms[l], right: data.arms[r] };
}

// Lists the samples by what changed between the two, if they are others than before.
function hold({ left, right }) {
  if (left === pair.left && right === pair.right) return;
  pair = { left, right };
  for (const sample of data.samples) judge(sample);
  ordered = Object.keys(KINDS).flatMap((kind) => data.samples.filter((sample) => sample.kind === kind));
  if (left !== null) form.elements.diff.options[1].textContent = `${data.arms[left]} against ${data.arms[right]}`;
}

// A binary measure is worse where left has it right and right has it wrong, as in the tables above.
function judge(sample) {
  sample.worse = [];
  sample.better = [];
  const signs = binary.get(sample.suite);
  for (const mine of sample.scores) {
    if (mine.arm !== pair.right || mine.against !== undefined) continue;
    const other = sample.scores.find((it) => it.arm === pair.left && it.against === undefined && it.by === mine.by);
    for (const [name, value] of other ? mine.measures : []) {
      const before = other.measures.find((it) => it[0] === name);
      const change = before === undefined || value === before[1] ? 0 : signs.get(`${mine.by}.${name}`) * (value - before[1]);
      if (change < 0) sample.worse.push(`${mine.by}.${name}`);
      if (change > 0) sample.better.push(`${mine.by}.${name}`);
    }
  }
  const silent = [pair.left, pair.right].some((arm) => arm !== null && sample.answers[arm] === null);
  sample.unscored = silent || sample.scores.some((score) => score.unscored !== undefined && concerns(score));
  const worse = sample.worse.length > 0, better = sample.better.length > 0;
  sample.kind = worse && better ? "mixed" : worse ? "harmful" : better ? "beneficial" : sample.unscored ? "unscored" : "same";
}

// An evaluator's word on one of the two, or a comparator's on both.
function concerns({ arm, against }) {
  return against === undefined ? arm === pair.left || arm === pair.right : arm === pair.right && against === pair.left;
}

// By suite, the binary measures with the sign of what is better.
function binaryMeasures() {
  const suites = new Map(data.measures.map(({ suite }) => [suite, new Map()]));
  for (const it of data.measures) if (it.binary) suites.get(it.suite).set(`${it.by}.${it.name}`, it.higher_is_better ? 1 : -1);
  return suites;
}

// ---- Filters ---------------------------------------------------------------------------------------------------------

// Prompt, reference and the two answers, each made ready once.
function contains(sample, text) {
  sample.search ??= [sample.id, sample.reference, ...sample.messages.map((turn) => turn[1])].join("\n").toLowerCase();
  if (sample.search.includes(text)) return true;
  sample.answered ??= [];
  return [pair.left, pair.right].some((arm) =>
    arm !== null && (sample.answered[arm] ??= (sample.answers[arm] ?? "").toLowerCase()).includes(text));
}

// With a measure chosen, a flip is judged on that measure alone.
function isOfKind(sample, kind, measure) {
  if (kind === "unscored") return sample.unscored;
  if (!measure) return sample.kind === kind;
  const worse = sample.worse.includes(measure), better = sample.better.includes(measure);
  return { harmful: worse, beneficial: better, same: !worse && !better }[kind] ?? false;
}

function matches(sample) {
  if (state.suite && sample.suite !== state.suite) return false;
  if (state.measure && !binary.get(sample.suite)?.has(state.measure)) return false;
  if (state.kind && !isOfKind(sample, state.kind, state.measure)) return false;
  return !state.q || contains(sample, state.q.toLowerCase());
}

// ---- The list --------------------------------------------------------------------------------------------------------

function show() {
  hold(chosen());
  shown = ordered.filter(matches);
  const last = Math.max(1, Math.ceil(shown.length / PAGE));
  const opened = shown.findIndex((sample) => state.open === `${sample.suite}/${sample.id}`);
  const wanted = opened >= 0 ? Math.floor(opened / PAGE) + 1 : Number(state.page) || 1;
  const page = Math.min(Math.max(wanted, 1), last);
  const from = (page - 1) * PAGE;
  list.replaceChildren(...shown.slice(from, from + PAGE).map(row));
  const total = data.samples.length.toLocaleString("en");
  status.textContent = shown.length === 0
    ? `None of ${total} samples.`
    : `${from + 1} to ${Math.min(from + PAGE, shown.length)} of ${shown.length.toLocaleString("en")} samples` +
      (shown.length < data.samples.length ? `, filtered from ${total}.` : ".");
  pages.hidden = last === 1;
  pages.querySelector("span").textContent = `Page ${page} of ${last}`;
  pages.querySelector("[name=previous]").disabled = page === 1;
  pages.querySelector("[name=next]").disabled = page === last;
  const sides = { left: data.arms[pair.left], right: data.arms[pair.right] };
  for (const field of form.elements) field.value = sides[field.name] ?? state[field.name] ?? "";
}

function row(sample) {
  const [sign, word] = KINDS[sample.kind];
  const last = sample.messages.at(-1);
  const summary = make("summary", {}, [
    make("span", { class: `badge kind-${sample.kind}` }, [make("span", { "aria-hidden": "true" }, sign), word]),
    make("span", { class: "title", title: sample.id }, [make("span", { class: "muted" }, `${sample.suite} `), sample.id]),
    make("span", { class: "preview" }, (last ? last[1] : "").slice(0, 200)),
  ]);
  const item = make("details", { class: "sample" }, [summary]);
  item.addEventListener("toggle", () => {
    if (item.open && item.childElementCount === 1) item.append(body(sample));
  });
  item.open = state.open === `${sample.suite}/${sample.id}`;
  summary.addEventListener("click", () => {
    state.open = item.open ? "" : `${sample.suite}/${sample.id}`;
    history.replaceState(null, "", address(state));
  });
  return item;
}

function body(sample) {
  const turns = sample.messages.flatMap(([role, text]) => [make("span", { class: "role" }, role), `${text}\n`]);
  const { left, right } = pair;
  return make("div", { class: "body" }, [
    make("div", {}, [make("h4", {}, "Prompt"), make("div", { class: "text" }, turns)]),
    make("div", { class: "sides" }, [
      side("Reference", "", sample.reference === null ? "none given" : [sample.reference]),
      ...(left === null ? [] : [side(titled(left), look(left), answer(sample, left, right))]),
      side(titled(right), look(right), answer(sample, right, left)),
    ]),
    ...measuresOf(sample),
    ...notesOf(sample),
  ]);
}

function titled(arm) {
  return { base: "Base", tuned: "Tuned" }[data.arms[arm]] ?? data.arms[arm];
}

function look(arm) {
  return `of-${["base", "tuned"].find((name) => name === data.arms[arm]) ?? "other"}`;
}

function side(name, kind, content) {
  const missing = typeof content === "string";
  const dot = kind === "" ? [] : [make("span", { class: "dot", "aria-hidden": "true" })];
  return make("div", { class: kind }, [
    make("h4", {}, [...dot, name]),
    make("div", { class: missing ? "text muted" : "text" }, content),
  ]);
}

// An answer with its words marked, against the reference or against the other arm's answer.
function answer(sample, arm, opposite) {
  const text = sample.answers[arm];
  if (text === null) return "no output";
  if (text === "") return "empty answer";
  const between = state.diff === "arms" || sample.reference === null;
  const other = between ? sample.answers[opposite] ?? null : sample.reference;
  if (state.diff === "off" || other === null) return [text];
  // Between the two, left shows what right dropped and right shows what it added.
  const first = between && arm === pair.left;
  const pieces = first ? wordDiff(text, other) : wordDiff(other, text);
  if (pieces === null) return [text];
  const kept = between ? pieces.filter((piece) => piece.kind !== (first ? "insert" : "delete")) : pieces;
  return kept.map(({ kind, text }) => kind === "same" ? text : make(kind === "insert" ? "ins" : "del", {}, text));
}

// ---- Measures and notes ----------------------------------------------------------------------------------------------

function measuresOf(sample) {
  const rows = new Map();
  for (const { by, arm, against, measures } of sample.scores.filter(concerns)) {
    for (const [name, value] of measures) {
      const key = `${by}.${name}`;
      rows.set(key, { ...rows.get(key), [against === undefined ? arm : "pair"]: value });
    }
  }
  if (rows.size === 0) return [];
  const sides = [pair.left, pair.right].filter((arm) => arm !== null);
  const number = (value) => make("td", { class: "num" }, format(value));
  const cells = (values) => "pair" in values
    ? [make("td", { class: "num", colspan: sides.length }, `${format(values.pair)} (both)`)]
    : sides.map((arm) => number(values[arm]));
  const head = (name, kind = {}) => make("th", { scope: "col", ...kind }, name);
  const heads = [head("Measure"), ...sides.map((arm) => head(titled(arm), { class: "num" })), head("Change")];
  const lines = [...rows].map(([name, values]) =>
    make("tr", {}, [make("th", { scope: "row" }, name), ...cells(values), make("td", {}, changed(sample, name))]));
  const caption = make("caption", { class: "unseen" }, "Measures of this sample");
  return [make("div", { class: "scroll", tabindex: "0" }, make("table", {}, [caption, make("thead", {}, make("tr", {}, heads)), make("tbody", {}, lines)]))];
}

function changed(sample, name) {
  if (sample.worse.includes(name)) return make("span", { class: "badge kind-harmful" }, "▼ worse");
  if (sample.better.includes(name)) return make("span", { class: "badge kind-beneficial" }, "▲ better");
  return "";
}

function notesOf(sample) {
  const items = sample.scores.filter(concerns).flatMap((score) => {
    const who = `${score.by}${score.against === undefined ? `, ${data.arms[score.arm]}` : ""}`;
    const unscored = score.unscored === undefined ? [] : [["unscored", score.unscored]];
    return [...unscored, ...(score.notes ?? [])].map(([name, text]) =>
      make("li", {}, [make("span", { class: "muted" }, `${who} · ${name}: `), text]));
  });
  return items.length === 0 ? [] : [make("div", {}, [make("h4", {}, "Notes"), make("ul", { class: "notes" }, items)])];
}

function format(value) {
  return value === undefined ? "–" : String(Number(value.toPrecision(4))).replace("-", "−");
}

function make(name, attributes, content = []) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...[content].flat());
  return element;
}

// ---- Hands on --------------------------------------------------------------------------------------------------------

function turnPage(by) {
  const now = Number(pages.querySelector("span").textContent.match(/\d+/)[0]);
  change({ page: String(now + by), open: "" });
}

function step(by) {
  const summaries = [...list.querySelectorAll(".sample > summary")];
  const now = summaries.indexOf(document.activeElement?.closest(".sample")?.firstChild);
  const next = now + by;
  if (next >= 0 && next < summaries.length) return focusOn(summaries[now < 0 && by < 0 ? 0 : next]);
  const button = pages.querySelector(by > 0 ? "[name=next]" : "[name=previous]");
  if (now < 0 || pages.hidden || button.disabled) return;
  turnPage(by);
  focusOn(by > 0 ? list.firstChild.firstChild : list.lastChild.firstChild);
}

function focusOn(summary) {
  summary.focus();
  summary.scrollIntoView({ block: "nearest" });
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = event.target.closest?.("input, select, textarea");
  if (event.key === "Escape" && typing) return typing.blur();
  if (typing) return;
  const onSummary = document.activeElement?.parentElement?.classList.contains("sample");
  const moves = { j: 1, k: -1, ...(onSummary ? { ArrowDown: 1, ArrowUp: -1 } : {}) };
  if (event.key in moves) step(moves[event.key]);
  else if (event.key === "/") form.elements.q.focus();
  else return;
  event.preventDefault();
}

function fillIn(select, names) {
  for (const name of new Set(names)) select.append(make("option", { value: name }, name));
}

function followAddress() {
  if (location.hash !== "#samples" && !location.hash.startsWith("#samples?")) return;
  state = readAddress();
  show();
  const open = list.querySelector("details[open]");
  (open ?? section).scrollIntoView();
  open?.firstChild.focus({ preventScroll: true });
}

// A link says its two arms only where they are not the ones that lie there at first.
function linked({ left, right, suite, measure, kind, open }) {
  const [reference, candidate] = data.contrasts[0].map((place) => data.arms[place]);
  const arms = left === reference && right === candidate ? {} : { left, right };
  return address({ ...arms, suite, measure, kind, open: open && `${suite}/${open}` });
}

function onInput({ target: { name, value } }) {
  const arms = name === "left" || name === "right";
  const changed = arms ? choose(name, value) : { [name]: value };
  change({ ...changed, page: "", open: arms || name === "diff" ? state.open : "" });
}

function prepare() {
  fillIn(form.elements.suite, data.samples.map((sample) => sample.suite));
  fillIn(form.elements.measure, data.measures.filter((it) => it.binary).map((it) => `${it.by}.${it.name}`));
  for (const name of ["left", "right"]) {
    fillIn(form.elements[name], data.arms);
    form.elements[name].parentElement.hidden = data.arms.length < 3;
  }
  if (data.arms.length < 2) prepareForOne();
  for (const link of document.querySelectorAll("a[data-suite]")) link.href = linked(link.dataset);
}

// One arm alone changes nothing and differs from none.
function prepareForOne() {
  const { kind, diff } = form.elements;
  KINDS.same = ["✓", "scored"];
  kind.parentElement.firstChild.textContent = "Outcome";
  for (const option of [...kind.options]) {
    if (["harmful", "beneficial", "mixed"].includes(option.value)) option.remove();
    if (option.value === "same") option.textContent = KINDS.same.join(" ");
  }
  diff.options[1].remove();
}

function start() {
  prepare();
  let waiting;
  form.addEventListener("input", (event) => {
    clearTimeout(waiting);
    waiting = setTimeout(() => onInput(event), event.target.name === "q" ? 150 : 0);
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  pages.querySelector("[name=previous]").addEventListener("click", () => turnPage(-1));
  pages.querySelector("[name=next]").addEventListener("click", () => turnPage(1));
  document.addEventListener("keydown", onKey);
  addEventListener("hashchange", followAddress);
  form.hidden = false;
  show();
  followAddress();
}

start();
