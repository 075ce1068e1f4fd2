"use strict";
// The list of questions: only the rows in sight are in the page, however many there are.

const ROW = 54;
const SPARE = 6;

const LABELS = { wrong: "now wrong", gained: "flipped to right", lost: "flipped to wrong", never: "never solved", alone: "stands alone", misvoted: "a vote is wrong", disputed: "votes differ" };

class QuestionList {
  /** ``chosen`` is called with a question when it becomes the chosen one. */
  constructor(box, rows, chosen) {
    this.box = box;
    this.rows = rows;
    this.chosen = chosen;
    this.items = [];
    this.at = -1;
    box.addEventListener("scroll", () => requestAnimationFrame(() => this.draw()));
    box.addEventListener("keydown", (event) => this.key(event));
    box.addEventListener("click", (event) => {
      const row = event.target.closest(".row");
      if (row) this.choose(Number(row.dataset.at));
    });
    new ResizeObserver(() => this.draw()).observe(box);
  }

  /** Show these; the chosen question stays chosen where it is among them. */
  show(items, keep) {
    this.items = items;
    this.at = keep ? items.indexOf(keep) : -1;
    this.box.hidden = !items.length;
    this.rows.style.height = `${items.length * ROW}px`;
    this.draw();
  }

  draw() {
    const top = Math.max(0, Math.floor(this.box.scrollTop / ROW) - SPARE);
    const end = Math.min(this.items.length, Math.ceil((this.box.scrollTop + this.box.clientHeight) / ROW) + SPARE);
    const shownRows = [];
    for (let i = top; i < end; i++) shownRows.push(this.row(i));
    if (this.at >= 0 && (this.at < top || this.at >= end)) shownRows.push(this.row(this.at));
    this.rows.replaceChildren(...shownRows);
    if (this.at >= 0) this.box.setAttribute("aria-activedescendant", `row-${this.at}`);
    else this.box.removeAttribute("aria-activedescendant");
  }

  row(i) {
    const item = this.items[i];
    const facts = `${item.part}, ${percent(item.before)} → ${percent(item.after)}, ${item.right} of ${item.n} right`;
    const meta = make("div", { class: "meta" }, make("span", {}, facts));
    for (const flag of item.flags) meta.append(make("span", { class: `badge ${flag}` }, LABELS[flag]));
    const row = make("div", { class: "row", role: "option", id: `row-${i}`, "data-at": i, "aria-posinset": i + 1, "aria-setsize": this.items.length, "aria-selected": String(i === this.at) },
      make("div", {}, shown(item.q.slice(0, 200))), meta);
    row.style.top = `${i * ROW}px`;
    return row;
  }

  choose(i) {
    if (i < 0 || i >= this.items.length) return;
    this.at = i;
    const top = i * ROW, view = this.box;
    if (top < view.scrollTop) view.scrollTop = top;
    else if (top + ROW > view.scrollTop + view.clientHeight) view.scrollTop = top + ROW - view.clientHeight;
    this.draw();
    this.chosen(this.items[i]);
  }

  key(event) {
    const page = Math.max(1, Math.floor(this.box.clientHeight / ROW) - 1), last = this.items.length - 1;
    const to = { ArrowDown: this.at + 1, ArrowUp: this.at - 1, PageDown: this.at + page, PageUp: this.at - page, Home: 0, End: last }[event.key];
    if (event.key === "Enter" && this.at >= 0) byId("detail").focus();
    else if (to === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    else this.choose(Math.max(0, Math.min(last, to)));
    event.preventDefault();
  }
}
