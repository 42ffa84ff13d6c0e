// Run inside of a report by the test `in_a_browser`: each line of the result begins with "ok" or "FAIL".
const lines = [];
const check = (name, holds, seen) => lines.push(`${holds ? "ok" : "FAIL"} ${name}${holds ? "" : `: ${JSON.stringify(seen)}`}`);
const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const alone = data.arms.length < 2;
const summaries = () => [...document.querySelectorAll(".sample > summary")];
const told = () => document.querySelector("[role=status]").textContent;
const pageName = () => document.querySelector(".pages span").textContent;

function press(key, target = document.activeElement) {
  target.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
}

async function search(text) {
  const field = document.querySelector("[name=q]");
  field.value = text;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  await wait(250);
}

function testDifferences() {
  const signs = { same: "=", insert: "+", delete: "-" };
  const diff = (a, b) => wordDiff(a, b).map((piece) => signs[piece.kind] + piece.text).join("|");
  for (const [a, b, wanted] of [
    ["a b", "a b", "=a b"], ["a b c", "a x c", "=a |-b|+x|= c"], ["", "a", "+a"], ["a", "", "-a"], ["", "", ""],
    ["é 日本", "é 日本x", "=é |-日本|+日本x"], ["{a, b}", "x, y", "-{a, b}|+x, y"],
  ]) check(`difference of ${a} and ${b}`, diff(a, b) === wanted, diff(a, b));
  check("too long to compare", wordDiff("a ".repeat(3000), "b ".repeat(3000)) === null);
  let seed = 7, wrong = 0;
  const random = () => (seed = (seed * 1103515245 + 12345) & 0x7fffffff) / 0x7fffffff;
  const text = () => Array.from({ length: random() * 12 }, () => "ab c{},1"[Math.floor(random() * 8)]).join("");
  const side = (pieces, left) => pieces.filter((piece) => piece.kind !== left).map((piece) => piece.text).join("");
  for (let round = 0; round < 500; round++) {
    const a = text(), b = text(), pieces = wordDiff(a, b);
    if (side(pieces, "insert") !== a || side(pieces, "delete") !== b) wrong++;
  }
  check("both texts can be read back from their difference", wrong === 0, wrong);
}

async function testKeyboard() {
  check("a page of rows, flips first", summaries().length === 50 && (alone || summaries()[0].textContent.includes("harmful")));
  press("j", document.body);
  check("j goes to the first", document.activeElement === summaries()[0]);
  press("j");
  check("j goes on", document.activeElement === summaries()[1]);
  press("k");
  check("k goes back", document.activeElement === summaries()[0]);
  document.activeElement.click();
  await wait(50);
  check("opened, filled in, in the address", document.querySelector(".sample[open] .body") && location.hash.includes("open="), location.hash);
  press("/");
  check("/ goes to the search", document.activeElement.name === "q");
  await search("lake shore");
  check("searched, in the address", told().includes("filtered") && location.hash.includes("q=lake"), [told(), location.hash]);
  await search("");
  document.activeElement.blur();
  for (let times = 0; times < 51; times++) press("j");
  check("j turns the page", pageName() === "Page 2 of 10", pageName());
  press("k");
  check("k turns it back", pageName() === "Page 1 of 10" && document.activeElement === summaries().at(-1), pageName());
}

// The page counts flips itself; the tables above it were counted where the comparison was made.
async function testFlips() {
  for (const link of document.querySelectorAll("a[data-kind]")) {
    link.click();
    await wait(50);
    const wanted = link.textContent.replace(/\D/g, "");
    check(`${link.hash} has as many as the table`, told().includes(`of ${wanted} sample`), [told(), wanted]);
  }
}

async function testKinds() {
  for (const [kind, number] of [["harmful", 8], ["beneficial", 112], ["unscored", 1]]) {
    location.hash = `#samples?kind=${kind}`;
    await wait(100);
    check(`all that are ${kind}`, told().includes(`of ${number} sample`), told());
  }
  check("two arms need no choice", document.querySelector("[name=left]").parentElement.hidden);
}

async function lay(side, arm) {
  const field = document.querySelector(`[name=${side}]`);
  field.value = arm;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  await wait(50);
}

async function testArms() {
  const sides = () => ["left", "right"].map((name) => document.querySelector(`[name=${name}]`).value).join(" ");
  const heads = () => [...document.querySelectorAll(".sample[open] .sides h4")].map((head) => head.textContent).join(" ");
  location.hash = "#samples?open=address/address-0003";
  await wait(100);
  check("base and tuned lie there first", heads() === "Reference Base Tuned", heads());
  await lay("right", "few-shot");
  check("another on the right, in the address", heads() === "Reference Base few-shot" && location.hash.includes("right=few-shot"), [heads(), location.hash]);
  check("its flips", document.querySelector(".sample[open] .badge").textContent.includes("beneficial"), document.querySelector(".sample[open]").textContent);
  await lay("left", "few-shot");
  check("the same arm on both sides exchanges them", sides() === "few-shot base", sides());
  check("what was better is worse", document.querySelector(".sample[open] .badge").textContent.includes("harmful"));
  await lay("right", "production");
  check("two others", sides() === "few-shot production" && heads() === "Reference few-shot production", [sides(), heads()]);
  check("their differences can be marked", document.querySelector("[name=diff]").options[1].textContent === "few-shot against production");
  location.hash = "#samples?left=production&right=tuned&open=address/address-0002";
  await wait(100);
  check("the address chooses two", heads() === "Reference production Tuned" && sides() === "production tuned", [heads(), sides()]);
  location.hash = "#samples?left=nobody&right=base";
  await wait(100);
  check("nonsense lays the first two", sides() === "base tuned", sides());
}

async function testAlone() {
  location.hash = "#samples?open=address/address-0003";
  await wait(100);
  const heads = [...document.querySelectorAll(".sample[open] .sides h4")].map((head) => head.textContent).join(" ");
  check("one answer beside the reference", heads === "Reference production", heads);
  const kinds = [...document.querySelector("[name=kind]").options].map((option) => option.value).join(" ");
  check("nothing to flip", kinds === " same unscored" && document.querySelector("[name=right]").parentElement.hidden, kinds);
}

async function testLinks() {
  const sample = document.querySelector("a[data-open]");
  sample.click();
  await wait(100);
  check("a sample's link opens it", document.querySelector(".sample[open] .title")?.textContent.includes(sample.textContent));
}

async function testAddress() {
  location.hash = "#samples?open=address/address-0001";
  await wait(100);
  const prompt = document.querySelector(".sample[open] .text")?.textContent ?? "";
  check("hostile text is text", prompt.includes("<img src=x") && document.images.length === 0 && !document.title.includes("XSS"), prompt);
  location.hash = "#samples?suite=nosuch&kind=wat&page=99&open=x";
  await wait(100);
  check("nonsense in the address", told().startsWith("None"), told());
  const page = document.documentElement;
  check("no scrolling sideways", page.scrollWidth <= innerWidth, [page.scrollWidth, innerWidth]);
}

async function test() {
  try {
    testDifferences();
    await testKeyboard();
    if (alone) await testAlone();
    else await testLinks();
    if (data.arms.length === 2) await testKinds();
    if (data.arms.length > 2) { await testFlips(); await testArms(); }
    await testAddress();
    lines.push("finished");
  } catch (error) {
    lines.push(`FAIL ${error.stack}`);
  }
  const result = document.createElement("pre");
  result.id = "result";
  result.textContent = lines.join("\n");
  document.body.append(result);
}

test();
