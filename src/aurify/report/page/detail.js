"use strict";
// One question: the model before and after side by side, and its chain through training.

const RECENT = 25;

function showDetail(item, words) {
  const box = byId("detail");
  const parts = [make("h3", {}, shown(item.q))];
  if (item.a) parts.push(make("p", {}, "The answer is ", make("strong", {}, shown(item.a)), "."));
  parts.push(make("p", { class: "quiet" }, [item.id, item.part, item.task, item.level].filter(Boolean).map(shown).join(" · ")));
  if (item.flags.includes("alone")) parts.push(make("p", {}, make("span", { class: "badge" }, "stands alone"), " A right rationale of this question shares few of its words with the other right ones: another way, or a lucky one."));
  if (item.gold) parts.push(make("details", {}, make("summary", {}, "The data's own rationale"), rationaleText(item.gold)));
  if (item.e) parts.push(evaluations(item));
  if (item.votes) parts.push(votes(item));
  if (item.v) parts.push(chain(item));
  if (!item.e && !item.v && !item.votes) parts.push(make("p", { class: "quiet" }, "Nothing was written on this question yet."));
  box.replaceChildren(...parts);
  box.scrollTop = 0;
  if (words.length) markWords(box, words);
}

function verdict(row) {
  const word = row[VERDICT] || "not judged";
  return make("span", { class: `verdict ${word}` }, word);
}

function facts(row, weight) {
  const said = [
    row[ANSWER] === null ? "no answer found" : `answer read: ${shown(row[ANSWER])}`,
    row[REASON] && shown(row[REASON]),
    row[SOURCE] !== "self" && `written by: ${row[SOURCE]}`,
    row[TOKENS] && `${row[TOKENS]} tokens`,
    row[MOVE] === "suffix" && `a new end after ${row[CUT]} tokens of the memory`,
    row[MOVE] === "guide" && "proposed with the answer in the prompt",
    row[LOGPROB] !== null && `log p ${row[LOGPROB]}`,
    weight && `weight ${weight > 0 ? "+" : ""}${weight}`,
  ];
  return make("p", { class: "facts" }, said.filter(Boolean).join(" · "));
}

/** Greedy rationales of two evaluations side by side, the first and the last unless others are chosen. */
function evaluations(item) {
  const sides = make("div", { class: "sides" });
  const pick = (label, at) => {
    const select = make("select", { change: () => draw() });
    item.e.forEach((row, i) => select.append(make("option", { value: i, ...(i === at ? { selected: "" } : {}) }, row[STEP] ? `after step ${row[STEP]}` : "before training")));
    return make("label", {}, `${label} `, select);
  };
  const left = pick("Left", 0), right = pick("Right", item.e.length - 1);
  const tick = make("input", { type: "checkbox", checked: "", change: () => draw() });
  const side = (label, other, both) => {
    const select = label.querySelector("select"), row = item.e[select.value], against = item.e[other.querySelector("select").value];
    const text = rationaleText(row[TEXT], tick.checked && item.e.length > 1 ? against[TEXT] : null, both);
    return make("div", {}, make("h4", {}, verdict(row), " ", select.selectedOptions[0].textContent), text, facts(row));
  };
  const draw = () => sides.replaceChildren(side(left, right, false), side(right, left, false));
  draw();
  const tools = item.e.length > 1 ? make("div", { class: "tools" }, left, right, make("label", {}, tick, " mark differences")) : null;
  return make("section", { "aria-label": "Evaluations" }, make("h4", {}, "The model's most likely rationale"), tools, sides);
}

/** What each file of votes says: the answer, how sure it is, the votes of every answer, and each sample with its score. */
function votes(item) {
  const sides = item.votes.map(([name, answer, confidence, credit, samples, counts, candidates]) => {
    const kind = credit === 1 ? "right" : credit === 0 ? "wrong" : "", word = kind || (credit === null ? "not judged" : `a tie, ${percent(credit)} right`);
    const head = make("h4", {}, make("span", { class: `verdict ${kind}` }, word), ` ${shown(name)}: `, answer === null ? "no answer" : make("strong", {}, shown(answer)));
    const all = counts.reduce((sum, [, votes]) => sum + votes, 0);
    const rows = counts.map(([of, votes]) => make("tr", {}, make("th", { scope: "row" }, shown(of)), make("td", {}, make("meter", { min: 0, max: all || 1, value: votes, "aria-label": `votes for ${shown(of)}` })), make("td", {}, String(Number(votes.toFixed(3))))));
    const said = [confidence !== null && `confidence ${percent(confidence)}`, samples !== null && `${samples} samples`];
    const list = make("ol", { class: "visits" }, ...candidates.map(candidate));
    return make("div", {}, head, make("table", {}, make("tbody", {}, ...rows)), make("p", { class: "facts" }, said.filter(Boolean).join(" · ")), make("details", {}, make("summary", {}, `The samples, ${candidates.length}`), list));
  });
  return make("section", { "aria-label": "Votes" }, make("h4", {}, "How it was voted on"), make("div", { class: "sides" }, ...sides));
}

/** One sample that was voted on, as vote_items in votes.py packs it. */
function candidate([text, answer, score, right, chosen]) {
  const kind = right === null ? "" : right ? "right" : "wrong";
  const said = [answer === null ? "no answer found" : `answer read: ${shown(answer)}`, score !== null && `score ${Number(score.toPrecision(4))}`, chosen && "the vote's choice"];
  return make("li", {}, make("span", { class: `verdict ${kind}` }, kind || "not judged"), rationaleText(text), make("p", { class: "facts" }, said.filter(Boolean).join(" · ")));
}

/** The visits with what the memory held before and after each. */
function* remembered(item) {
  let held = null, since = 0;
  for (const visit of item.v) {
    const before = held, beforeSince = since;
    if (visit.held) {
      if (visit.held[1] !== null) { held = visit.d[visit.held[1]]; }
      since = visit.held[0];
    }
    yield { visit, before, beforeSince, held, since };
  }
}

function chain(item) {
  const visits = [...remembered(item)], hasMemory = visits.some((one) => one.held);
  const strip = make("ol", { class: "strip", "aria-label": "Steps in which this question was visited" });
  const list = make("ol", { class: "visits" });
  const tick = make("input", { type: "checkbox", checked: "", change: () => draw() });
  let from = Math.max(0, visits.length - RECENT);
  const earlier = make("button", { type: "button", click: () => { from = 0; draw(); } }, `Show the earlier ${from}`);
  const draw = () => {
    earlier.hidden = from === 0;
    list.replaceChildren(...visits.slice(from).map((one) => visitOf(one, hasMemory, tick.checked)));
  };
  visits.forEach(({ visit }, i) => {
    const good = visit.d.filter((row) => row[VERDICT] === "right").length;
    const kind = good === visit.d.length ? "right" : good ? "odd" : "wrong";
    const words = `step ${visit.s}: ${good} of ${visit.d.length} right`;
    const jump = () => { if (i < from) { from = 0; draw(); } list.children[i - from].scrollIntoView({ block: "nearest" }); list.children[i - from].focus(); };
    strip.append(make("li", {}, make("button", { type: "button", class: kind, title: words, "aria-label": words, click: jump }, kind === "right" ? "✓" : kind === "odd" ? "~" : "✗")));
  });
  draw();
  const title = hasMemory ? "Its chain through training" : "Its rationales through training";
  const about = hasMemory
    ? "A right proposal takes the place of the remembered rationale; a wrong one is rejected. (A right new end is too, by chance, where it is longer.) What a proposal has other than the memory is marked."
    : "What was drawn, or given, for this question, step by step.";
  const tools = make("div", { class: "tools" }, earlier, hasMemory ? make("label", {}, tick, " mark differences from the memory") : null);
  return make("section", { "aria-label": title }, make("h4", {}, title), make("p", { class: "quiet" }, about), strip, tools, list);
}

function visitOf({ visit, before, beforeSince, held, since }, hasMemory, marked) {
  const box = make("li", { class: "visit", tabindex: "-1" }, make("h4", {}, visit.s ? `Step ${visit.s}` : "Before training"));
  visit.d.forEach((row, i) => {
    const taken = visit.held && visit.held[1] === i;
    const against = marked && hasMemory && before ? before[TEXT] : null;
    const head = make("p", {}, verdict(row));
    if (taken) head.append(" ", make("span", { class: "badge" }, "came into the memory"));
    else if (hasMemory && visit.s && (row[VERDICT] !== "right" || row[MOVE])) head.append(" ", make("span", { class: "badge" }, "rejected"));
    if (row[ALONE]) head.append(" ", make("span", { class: "badge alone" }, "stands alone"));
    box.append(make("div", { class: taken ? "proposal taken" : "proposal" }, head, rationaleText(row[TEXT], against), facts(row, visit.w && visit.w[i])));
  });
  if (hasMemory && visit.s) {
    const kept = visit.held && visit.held[1] === null;
    const weight = visit.mw ? `, learned from with weight +${visit.mw}` : "";
    const words = !held ? "The memory is empty." : kept ? `The memory stays on the rationale of step ${since}${weight}.` : before ? `The memory had the rationale of step ${beforeSince}.` : "The memory was empty before.";
    const memory = make("p", { class: "quiet" }, words);
    box.append(kept && held ? make("details", {}, make("summary", {}, words), rationaleText(held[TEXT])) : memory);
  }
  return box;
}

/** Mark the words of the search in the texts. */
function markWords(box, words) {
  const walker = document.createTreeWalker(box, NodeFilter.SHOW_TEXT);
  const nodes = [];
  while (walker.nextNode()) if (!walker.currentNode.parentElement.closest("select, button")) nodes.push(walker.currentNode);
  for (const node of nodes) {
    const low = node.data.toLowerCase();
    if (low.length !== node.data.length) continue;
    const spans = words.flatMap((word) => { const found = []; for (let i = low.indexOf(word); i >= 0; i = low.indexOf(word, i + word.length)) found.push([i, i + word.length]); return found; }).sort((a, b) => a[0] - b[0]);
    if (!spans.length) continue;
    const parts = [];
    let end = 0;
    for (const [start, stop] of spans) {
      if (start < end) continue;
      parts.push(node.data.slice(end, start), make("mark", {}, node.data.slice(start, stop)));
      end = stop;
    }
    node.replaceWith(...parts, node.data.slice(end));
  }
}
