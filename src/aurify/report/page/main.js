"use strict";
// The page comes to life: the theme, the curves, then the questions; a live one asks its server what is new.

const EVERY = 2000;
let shownCurves = JSON.parse(byId("curves-data").textContent);

function themes() {
  const button = byId("theme"), order = ["system", "light", "dark"];
  let at = 0;
  button.addEventListener("click", () => {
    at = (at + 1) % order.length;
    if (at) document.documentElement.dataset.theme = order[at];
    else delete document.documentElement.dataset.theme;
    button.textContent = `Theme: ${order[at]}`;
    showCurves(shownCurves);
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => showCurves(shownCurves));
  // Paper is white: what is drawn, and not styled, is drawn again for it.
  matchMedia("print").addEventListener("change", (print) => {
    if (print.matches) document.documentElement.dataset.theme = "light";
    else if (at) document.documentElement.dataset.theme = order[at];
    else delete document.documentElement.dataset.theme;
    showCurves(shownCurves);
  });
}

const page = { browser: new Browser(), ready: null };

async function readQuestions(blocks, count) {
  const begun = performance.now();
  let first = true;
  const told = (found) => {
    const n = found.reduce((sum, own) => sum + own.length, 0);
    if (first && !runs.length) { runs = found; page.browser.refresh(); first = false; }
    byId("count").textContent = `Reading the questions: ${n.toLocaleString("en")} …`;
  };
  runs = await readBlocks(blocks, count, told);
  page.browser.refresh();
  byId("count").dataset.read = (performance.now() - begun).toFixed(0);
}

/** Ask the server of aurify watch for what changed, for as long as it answers. */
async function follow() {
  const stamps = { page: "", questions: "" };
  for (;;) {
    try {
      const answer = await fetch(`state?page=${stamps.page}&questions=${stamps.questions}`, { cache: "no-store" });
      if (!answer.ok) throw new Error(answer.statusText);
      const state = await answer.json();
      if (state.overview !== undefined) {
        // The server's templates have escaped every text in it, and the policy runs no script that it might hold.
        byId("overview").innerHTML = state.overview;
        shownCurves = state.curves;
        showCurves(shownCurves);
      }
      if (state.blocks !== undefined) {
        await readQuestions(state.blocks.map((block) => [0, block]), 1);
        if (page.browser.chosen) showDetail(page.browser.chosen, page.browser.words);
      }
      stamps.page = state.page;
      stamps.questions = state.questions;
      byId("live").textContent = state.finished ? "The run is finished." : `Live: ${state.told}`;
    } catch (error) {
      byId("live").textContent = "aurify watch does not answer; the page shows what it said last.";
    }
    await new Promise((done) => setTimeout(done, EVERY));
  }
}

themes();
showCurves(shownCurves);
requestAnimationFrame(() => setTimeout(async () => {
  if ("live" in document.body.dataset) return follow();
  await readQuestions([...blocksOfPage()], shownCurves.length);
  page.browser.fromAddress();
}));
