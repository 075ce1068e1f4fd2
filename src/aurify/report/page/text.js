"use strict";
// Elements and texts. Whatever a model or a user wrote comes into the page through here, as text and never as markup.

const UNSEEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** The text with a mark in the place of what cannot be seen, or shows the rest in another order than it has. */
function shown(text) {
  return String(text).replace(UNSEEN, "\ufffd");
}

/** An element: make("p", {class: "quiet"}, "text", child, ...). Functions among the attributes are listeners. */
function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(key, value);
    else if (value !== null && value !== undefined) element.setAttribute(key, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

const byId = (id) => document.getElementById(id);

/** The words, the blanks and the signs of a text. */
const pieces = (text) => text.match(/\s+|[\p{L}\p{N}]+|./gsu) || [];

const MOST_CELLS = 4e6;

/** How one text becomes another: [kind, text] in order, with kind "same", "del" or "ins" (longest common words). */
function difference(before, after) {
  const a = pieces(before), b = pieces(after);
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
  const x = a.slice(head, a.length - tail), y = b.slice(head, b.length - tail);
  const found = [["same", a.slice(0, head).join("")], ...middle(x, y), ["same", a.slice(a.length - tail).join("")]];
  return found.filter(([, text]) => text);
}

function middle(x, y) {
  const found = [];
  const add = (kind, text) => {
    if (found.length && found[found.length - 1][0] === kind) found[found.length - 1][1] += text;
    else found.push([kind, text]);
  };
  if (x.length * y.length > MOST_CELLS) return [["del", x.join("")], ["ins", y.join("")]];
  const width = y.length + 1, common = new Uint16Array((x.length + 1) * width);
  for (let i = x.length - 1; i >= 0; i--)
    for (let j = y.length - 1; j >= 0; j--)
      common[i * width + j] = x[i] === y[j]
        ? common[(i + 1) * width + j + 1] + 1
        : Math.max(common[(i + 1) * width + j], common[i * width + j + 1]);
  let i = 0, j = 0;
  while (i < x.length || j < y.length) {
    if (i < x.length && j < y.length && x[i] === y[j]) { add("same", x[i]); i++; j++; }
    else if (j >= y.length || (i < x.length && common[(i + 1) * width + j] >= common[i * width + j + 1])) add("del", x[i++]);
    else add("ins", y[j++]);
  }
  return found;
}

/** A rationale's text; what is not in ``against`` is marked, and, with ``both``, what that has instead is struck out. */
function rationaleText(text, against = null, both = false) {
  const box = make("pre", { tabindex: "0" });
  if (against === null || against === text) { box.append(shown(text)); return box; }
  for (const [kind, part] of difference(against, text)) {
    if (kind === "same") box.append(shown(part));
    else if (kind === "ins") box.append(make("ins", {}, shown(part)));
    else if (both) box.append(make("del", {}, shown(part)));
  }
  return box;
}

const percent = (value) => (value === null || value === undefined ? "–" : `${Math.round(1000 * value) / 10} %`);
