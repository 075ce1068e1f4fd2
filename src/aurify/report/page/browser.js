"use strict";
// The question browser: search, filters, sorting, and the address of a question.

const SORTS = {
  file: null,
  share: (a, b) => ratio(a) - ratio(b) || a.place - b.place,
  change: (a, b) => changeOf(b) - changeOf(a) || a.place - b.place,
  moves: (a, b) => (b.moves || 0) - (a.moves || 0) || a.place - b.place,
  length: (a, b) => b.longest - a.longest || a.place - b.place,
};
const ratio = (item) => (item.n ? item.right / item.n : 2);
const changeOf = (item) => (item.before === null || item.after === null ? -1 : Math.abs(item.after - item.before));

class Browser {
  constructor() {
    this.chosen = null;
    this.wanted = "";
    this.list = new QuestionList(byId("list"), byId("rows"), (item) => this.choose(item));
    this.timer = 0;
    byId("filters").addEventListener("input", (event) => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.refresh(), event.target.id === "search" ? 60 : 0);
    });
    byId("filters").addEventListener("submit", (event) => event.preventDefault());
    byId("search").addEventListener("keydown", (event) => {
      if (event.key === "ArrowDown" || event.key === "Enter") { byId("list").focus(); this.list.choose(Math.max(0, this.list.at)); event.preventDefault(); }
    });
    document.addEventListener("keydown", (event) => {
      if (event.key !== "/" || event.target.closest("input, select, textarea")) return;
      byId("search").focus();
      event.preventDefault();
    });
    addEventListener("hashchange", () => this.fromAddress());
  }

  get words() {
    return byId("search").value.toLowerCase().split(/\s+/).filter(Boolean);
  }

  /** The questions of the chosen run. */
  get items() {
    return runs[byId("run") ? Number(byId("run").value) : 0] || [];
  }

  matching() {
    const words = this.words, flag = byId("flag").value, part = byId("part").value;
    const differs = flag === "differ" ? differing() : null;
    const fits = (item) => (!part || item.part === part) && (!flag || (differs ? differs.has(item.id) : item.flags.includes(flag)));
    return this.items.filter((item) => fits(item) && words.every((word) => item.hay.includes(word)));
  }

  refresh() {
    const begun = performance.now();
    let found = this.matching();
    const order = SORTS[byId("sort").value];
    if (order) found = found.sort(order);
    if (this.chosen && !this.items.includes(this.chosen)) this.chosen = this.items.find((item) => item.id === this.chosen.id) || null;
    this.list.show(found, this.chosen);
    byId("count").textContent = found.length === this.items.length ? `${found.length.toLocaleString("en")} questions` : `${found.length.toLocaleString("en")} of ${this.items.length.toLocaleString("en")} questions${found.length ? "" : ": no question fits; take a filter away, or search for less"}`;
    byId("count").dataset.milliseconds = (performance.now() - begun).toFixed(1);
  }

  choose(item) {
    this.chosen = item;
    showDetail(item, this.words);
    history.replaceState(null, "", `#q=${encodeURIComponent(item.id)}`);
  }

  /** Go to the question that the address names, with no filter that hides it. */
  fromAddress() {
    if (!location.hash.startsWith("#q=")) return;
    const id = decodeURIComponent(location.hash.slice(3).replace(/\+/g, " "));
    const all = runs.flat(), item = this.items.find((one) => one.id === id) || all.find((one) => one.id === id);
    if (!item) return;
    const run = runs.findIndex((own) => own.includes(item));
    if (byId("run")) byId("run").value = String(run);
    if (!this.matching().includes(item)) { byId("search").value = ""; byId("flag").value = ""; byId("part").value = ""; }
    this.refresh();
    this.list.choose(this.list.items.indexOf(item));
    const below = byId("detail").offsetTop > byId("list").offsetTop + byId("list").clientHeight; // on a narrow screen
    byId(below ? "detail" : "questions").scrollIntoView();
    byId("detail").focus({ preventScroll: true });
  }
}

/** The ids of the questions that the runs leave with different verdicts. */
function differing() {
  const ends = new Map();
  for (const own of runs) for (const item of own) if (item.after !== null) {
    if (!ends.has(item.id)) ends.set(item.id, new Set());
    ends.get(item.id).add(item.after >= 0.5);
  }
  return new Set([...ends].filter(([, found]) => found.size > 1).map(([id]) => id));
}
