"use strict";
// The questions: unpacked block by block after the first screen has been painted, so that the page never stands still.

/** What a rationale's list holds; see _pack in browser.py. */
const TEXT = 0, VERDICT = 1, REASON = 2, ANSWER = 3, SOURCE = 4, TOKENS = 5, LOGPROB = 6, ALONE = 7, STEP = 8, MOVE = 9, CUT = 10;

/** The questions of each run. */
let runs = [];

async function unpack(block) {
  const packed = atob(block), bytes = new Uint8Array(packed.length);
  for (let i = 0; i < packed.length; i++) bytes[i] = packed.charCodeAt(i);
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).json();
}

/** Make a question ready: all its rationales, and all that a search looks through, in small letters. */
function prepare(item, place) {
  item.place = place;
  const texts = [item.id, item.q, item.a];
  item.longest = 0;
  for (const row of rationalesOf(item)) {
    texts.push(row[TEXT]);
    if (row[TEXT].length > item.longest) item.longest = row[TEXT].length;
  }
  item.hay = texts.join("\n").toLowerCase();
}

function* rationalesOf(item) {
  yield* item.e || [];
  for (const visit of item.v || []) yield* visit.d;
}

const breath = () => new Promise((done) => setTimeout(done));

/** Read blocks of questions, [run, block] each; ``told`` is called after each with how many questions there are. */
async function readBlocks(blocks, count, told) {
  const found = Array.from({ length: count }, () => []);
  for (const [run, block] of blocks) {
    for (const item of await unpack(block)) {
      prepare(item, found[run].length);
      found[run].push(item);
    }
    told(found);
    await breath();
  }
  return found;
}

/** The blocks that stand in the page; each is taken out of it, to be held once. */
function* blocksOfPage() {
  for (const element of document.querySelectorAll("script.chunk")) {
    yield [Number(element.dataset.run), element.textContent];
    element.remove();
  }
}
