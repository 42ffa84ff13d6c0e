// Word-level difference of two texts, by the longest common subsequence of their words.
// Pieces are { kind: "same" | "insert" | "delete", text }; null where the texts are too long to compare.
const LARGEST_TABLE = 4_000_000;

function wordDiff(before, after) {
  const a = words(before), b = words(after);
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
  const middle = diffMiddle(a.slice(head, a.length - tail), b.slice(head, b.length - tail));
  if (middle === null) return null;
  const same = (list) => list.map((word) => ["same", word]);
  return gather([...same(a.slice(0, head)), ...middle, ...same(a.slice(a.length - tail))]);
}

// Between two changes, spaces and punctuation alone are no common ground: they go with the change, so that a sentence
// reads as replaced and not as confetti. In a change, what is missing comes before what was added.
function gather(steps) {
  const pieces = [];
  let missing = "", added = "", between = "";
  const flush = () => {
    if (missing) pieces.push({ kind: "delete", text: missing });
    if (added) pieces.push({ kind: "insert", text: added });
    if (between) pieces.push({ kind: "same", text: between });
    missing = added = between = "";
  };
  for (const [kind, word] of steps) {
    const changing = missing !== "" || added !== "";
    if (kind === "same" && changing && !/[\p{L}\p{N}]/u.test(word)) { between += word; continue; }
    if (kind === "same") {
      if (changing) flush();
      const last = pieces.at(-1);
      if (last?.kind === "same") last.text += word;
      else pieces.push({ kind: "same", text: word });
      continue;
    }
    missing += between; added += between; between = "";
    if (kind === "delete") missing += word;
    else added += word;
  }
  flush();
  return pieces;
}

function words(text) {
  return text.match(/\s+|[\p{L}\p{N}_]+|[^\s\p{L}\p{N}_]/gu) ?? [];
}

// table[i][j] is the length of the longest common subsequence of a[i..] and b[j..].
function diffMiddle(a, b) {
  const width = b.length + 1;
  if ((a.length + 1) * width > LARGEST_TABLE) return null;
  const table = new Uint16Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      table[i * width + j] = a[i] === b[j]
        ? table[(i + 1) * width + j + 1] + 1
        : Math.max(table[(i + 1) * width + j], table[i * width + j + 1]);
    }
  }
  const steps = [];
  let i = 0, j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) { steps.push(["same", a[i]]); i++; j++; }
    else if (j >= b.length || (i < a.length && table[(i + 1) * width + j] >= table[i * width + j + 1])) steps.push(["delete", a[i++]]);
    else steps.push(["insert", b[j++]]);
  }
  return steps;
}
