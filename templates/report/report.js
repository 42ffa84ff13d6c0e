// The list of samples: filtered, paged, filled in when opened. Text reaches the page through textContent alone.
// The state lives in the address bar: #samples?suite=…&measure=…&kind=…&diff=…&q=…&page=…&open=suite/id
const PAGE = 50;
const KINDS = {
  harmful: ["▼", "harmful"], mixed: ["◆", "mixed"], beneficial: ["▲", "beneficial"],
  unscored: ["?", "unscored"], same: ["＝", "same"],
};
const data = JSON.parse(document.getElementById("data").textContent);
const section = document.getElementById("samples");
const form = section.querySelector("form");
const list = section.querySelector(".samples");
const pages = section.querySelector(".pages");
const status = section.querySelector("[role=status]");
let state = {};
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

// ---- Filters ---------------------------------------------------------------------------------------------------------

function searchable(sample) {
  return sample.search ??= [sample.id, sample.reference, sample.base, sample.tuned, ...sample.messages.map((turn) => turn[1])]
    .join("\n").toLowerCase();
}

// With a measure chosen, a flip is judged on that measure alone.
function isOfKind(sample, kind, measure) {
  if (kind === "unscored") return sample.unscored;
  if (!measure) return sample.kind === kind;
  const has = (places) => places.some((place) => data.measures[place].name === measure);
  return { harmful: has(sample.worse), beneficial: has(sample.better), same: !has(sample.worse) && !has(sample.better) }[kind] ?? false;
}

function matches(sample) {
  if (state.suite && sample.suite !== state.suite) return false;
  if (state.measure && !data.measures.some((it) => it.suite === sample.suite && it.name === state.measure)) return false;
  if (state.kind && !isOfKind(sample, state.kind, state.measure)) return false;
  return !state.q || searchable(sample).includes(state.q.toLowerCase());
}

// ---- The list --------------------------------------------------------------------------------------------------------

function show() {
  shown = data.samples.filter(matches);
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
  for (const field of form.elements) field.value = state[field.name] ?? "";
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
  return make("div", { class: "body" }, [
    make("div", {}, [make("h4", {}, "Prompt"), make("div", { class: "text" }, turns)]),
    make("div", { class: "sides" }, [
      side("Reference", "of-reference", sample.reference === null ? "none given" : [sample.reference]),
      side("Base", "of-base", answer(sample, "base"), sample),
      side("Tuned", "of-tuned", answer(sample, "tuned"), sample),
    ]),
    ...measuresOf(sample),
    ...notesOf(sample),
  ]);
}

function side(name, kind, content) {
  const missing = typeof content === "string";
  const dot = kind === "of-reference" ? [] : [make("span", { class: "dot", "aria-hidden": "true" })];
  return make("div", { class: kind }, [
    make("h4", {}, [...dot, name]),
    make("div", { class: missing ? "text muted" : "text" }, content),
  ]);
}

// An answer with its words marked, against the reference or against the other model's answer.
function answer(sample, arm) {
  const text = sample[arm];
  if (text === null) return "no output";
  if (text === "") return "empty answer";
  const arms = state.diff === "arms" || sample.reference === null;
  const other = arms ? sample[arm === "base" ? "tuned" : "base"] : sample.reference;
  if (state.diff === "off" || other === null) return [text];
  // Between the arms, base shows what tuned dropped and tuned shows what it added.
  const pieces = arms && arm === "base" ? wordDiff(text, other) : wordDiff(other, text);
  if (pieces === null) return [text];
  const kept = arms ? pieces.filter((piece) => piece.kind !== (arm === "base" ? "insert" : "delete")) : pieces;
  return kept.map(({ kind, text }) => kind === "same" ? text : make(kind === "insert" ? "ins" : "del", {}, text));
}

// ---- Measures and notes ----------------------------------------------------------------------------------------------

function measuresOf(sample) {
  const rows = new Map();
  for (const score of sample.scores) {
    for (const [name, value] of score.measures) {
      const key = `${score.by}.${name}`;
      rows.set(key, { ...rows.get(key), [score.arm ?? "pair"]: value });
    }
  }
  if (rows.size === 0) return [];
  const cells = (values) => "pair" in values
    ? [make("td", { class: "num", colspan: "2" }, `${format(values.pair)} (both)`)]
    : [make("td", { class: "num" }, format(values.base)), make("td", { class: "num" }, format(values.tuned))];
  const head = ["Measure", "Base", "Tuned", "Change"].map((name, place) => make("th", { scope: "col", ...(place === 1 || place === 2 ? { class: "num" } : {}) }, name));
  const lines = [...rows].map(([name, values]) =>
    make("tr", {}, [make("th", { scope: "row" }, name), ...cells(values), make("td", {}, changed(sample, name))]));
  const caption = make("caption", { class: "unseen" }, "Measures of this sample");
  return [make("div", { class: "scroll", tabindex: "0" }, make("table", {}, [caption, make("thead", {}, make("tr", {}, head)), make("tbody", {}, lines)]))];
}

function changed(sample, name) {
  const has = (places) => places.some((place) => data.measures[place].name === name);
  if (has(sample.worse)) return make("span", { class: "badge kind-harmful" }, "▼ worse");
  if (has(sample.better)) return make("span", { class: "badge kind-beneficial" }, "▲ better");
  return "";
}

function notesOf(sample) {
  const items = sample.scores.flatMap((score) => {
    const who = `${score.by}${score.arm ? `, ${score.arm}` : ""}`;
    const unscored = score.unscored === null ? [] : [["unscored", score.unscored]];
    return [...unscored, ...score.notes].map(([name, text]) =>
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

function start() {
  fillIn(form.elements.suite, data.samples.map((sample) => sample.suite));
  fillIn(form.elements.measure, data.measures.filter((measure) => measure.binary).map((measure) => measure.name));
  for (const link of document.querySelectorAll("a[data-suite]")) {
    const { suite, measure, kind, open } = link.dataset;
    link.href = address({ suite, measure, kind, open: open && `${suite}/${open}` });
  }
  let waiting;
  form.addEventListener("input", (event) => {
    clearTimeout(waiting);
    const { name, value } = event.target;
    waiting = setTimeout(() => change({ [name]: value, page: "", open: name === "diff" ? state.open : "" }), name === "q" ? 150 : 0);
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
