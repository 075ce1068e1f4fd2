"use strict";
// The curves, by uPlot; each has its numbers as a table too.

const COLOURS = {
  light: ["#a06a00", "#0b57d0", "#11663b", "#a3262c", "#6a3d9a", "#5c5b56", "#00707a", "#a5307a", "#4b5d00"],
  dark: ["#e8b94f", "#8ab4f8", "#7fd6a2", "#ff9d97", "#c9a6f5", "#aaa69b", "#6fd3dc", "#f59ad3", "#c5d86d"],
};
const DASHES = [[], [6, 3], [2, 3], [10, 3, 2, 3]];
const MOST_ROWS = 60;
const TALL = 208;
let drawn = [];

const isDark = () => {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
};

/** Of several runs: one chart a title, with each run's first series. */
function together(all) {
  if (all.length === 1) return all[0].curves;
  const titles = [...new Set(all.flatMap((run) => run.curves.map((curve) => curve.title)))];
  return titles.map((title) => {
    const own = all.map((run) => [run.name, run.curves.find((curve) => curve.title === title)]).filter(([, c]) => c);
    const steps = [...new Set(own.flatMap(([, curve]) => curve.steps))].sort((a, b) => a - b);
    const series = own.map(([name, curve]) => {
      const at = new Map(curve.steps.map((step, i) => [step, i]));
      const spread = (values) => values && steps.map((step) => (at.has(step) ? values[at.get(step)] : undefined));
      const first = curve.series[0];
      return { label: name, values: spread(first.values), low: spread(first.low), high: spread(first.high) };
    });
    const { about, percent } = own[0][1];
    return { title, about: own[0][1].series.length > 1 ? `${about} Drawn: ${own[0][1].series[0].label}.` : about, percent, steps, series };
  });
}

function showCurves(all) {
  for (const one of drawn) { one.watcher.disconnect(); one.plot.destroy(); }
  const open = new Set(drawn.filter((one) => one.table.open).map((one) => one.curve.title));
  drawn = [];
  byId("charts").replaceChildren(...together(all).map((curve) => figureOf(curve, open.has(curve.title))));
}

function written(value, percents) {
  if (value === null || value === undefined) return "–";
  if (percents) return percent(value);
  return Math.abs(value) >= 1000 ? Math.round(value).toLocaleString("en") : String(Number(value.toPrecision(4)));
}

function figureOf(curve, open) {
  const colours = COLOURS[isDark() ? "dark" : "light"];
  const colour = (i) => colours[i % colours.length], dash = (i) => DASHES[Math.floor(i / 2) % DASHES.length];
  const legend = make("ul", { class: "legend" });
  curve.series.forEach((one, i) => legend.append(make("li", {}, sample(colour(i), dash(i)), shown(one.label))));
  const box = make("div", { class: "chart", role: "img", "aria-label": spoken(curve) });
  const at = make("p", { class: "at", "aria-hidden": "true" });
  const table = numbers(curve, open);
  const figure = make("figure", {}, make("figcaption", {}, make("h3", {}, shown(curve.title)), make("p", {}, shown(curve.about)), legend), box, at, table);
  const data = [curve.steps], series = [{}], bands = [];
  curve.series.forEach((one, i) => {
    data.push(one.values);
    series.push({ label: one.label, stroke: colour(i), width: 2, dash: dash(i), spanGaps: true, points: { show: curve.steps.length < 40, size: 6 } });
    if (!one.low) return;
    data.push(one.high, one.low);
    series.push({ stroke: "transparent", spanGaps: true, points: { show: false } }, { stroke: "transparent", spanGaps: true, points: { show: false } });
    bands.push({ series: [data.length - 2, data.length - 1], fill: colour(i) + "33" });
  });
  const style = getComputedStyle(document.documentElement), ink = style.getPropertyValue("--quiet").trim(), line = style.getPropertyValue("--line").trim();
  const axis = { stroke: ink, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 }, font: "12px system-ui, sans-serif" };
  const plot = new uPlot({
    width: 300, height: TALL, legend: { show: false }, series, bands,
    cursor: { y: false, drag: { setScale: true, x: true, y: false } },
    scales: { x: { time: false }, y: curve.percent ? { range: (_, low, high) => [Math.min(0, low), Math.max(1, high)] } : {} },
    axes: [{ ...axis, size: 32 }, { ...axis, size: 60, values: (_, ticks) => ticks.map((tick) => written(tick, curve.percent)) }],
    hooks: { setCursor: [(u) => {
      const i = u.cursor.idx;
      at.textContent = i === null || i === undefined ? "" : `step ${curve.steps[i]}: ` + curve.series.map((one) => `${shown(one.label)} ${written(one.values[i], curve.percent)}`).join(", ");
    }] },
  }, data, box);
  const watcher = new ResizeObserver(() => { const width = box.clientWidth; if (width) plot.setSize({ width, height: TALL }); });
  watcher.observe(box);
  drawn.push({ plot, watcher, curve, table });
  return figure;
}

/** A short line as a chart draws it, for the legend. */
function sample(colour, dash) {
  const name = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(name, "svg"), line = document.createElementNS(name, "line");
  const put = (element, values) => Object.entries(values).forEach(([key, value]) => element.setAttribute(key, value));
  put(svg, { viewBox: "0 0 26 10", "aria-hidden": "true" });
  put(line, { x1: 0, x2: 26, y1: 5, y2: 5, stroke: colour, "stroke-width": 3, "stroke-dasharray": dash.join(" ") });
  svg.append(line);
  return svg;
}

/** What a chart says to who does not see it. */
function spoken(curve) {
  const ends = curve.series.map((one) => {
    const known = one.values.filter((value) => value !== null && value !== undefined);
    return `${shown(one.label)} from ${written(known[0], curve.percent)} to ${written(known[known.length - 1], curve.percent)}`;
  });
  return `${shown(curve.title)} over ${curve.steps.length} points: ${ends.join("; ")}`;
}

function numbers(curve, open) {
  const details = make("details", {}, make("summary", {}, "Numbers"));
  const fill = () => {
    if (!details.open || details.children.length > 1) return;
    const every = Math.max(1, Math.ceil(curve.steps.length / MOST_ROWS));
    const rows = curve.steps.map((step, i) => [step, i]).filter(([, i]) => i % every === 0 || i === curve.steps.length - 1);
    const head = make("tr", {}, make("th", { scope: "col" }, "step"), ...curve.series.map((one) => make("th", { scope: "col" }, shown(one.label))));
    const body = rows.map(([step, i]) => make("tr", {}, make("th", { scope: "row" }, String(step)), ...curve.series.map((one) => make("td", {}, written(one.values[i], curve.percent)))));
    details.append(make("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": `${shown(curve.title)}: numbers` }, make("table", {}, make("thead", {}, head), make("tbody", {}, ...body))));
  };
  details.addEventListener("toggle", fill);
  details.open = open;
  fill();
  return details;
}
