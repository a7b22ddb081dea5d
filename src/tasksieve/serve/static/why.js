// Why a response was given: the best candidates, and the attention of each hop.

import { byId, el, percent, signed, spoken, whole } from "./dom.js";

const LEAST = 0.01;

function scored(candidate, withheld, threshold) {
  if (candidate.fallback) return `said because ${threshold === null ? "more" : percent(threshold)} is needed for an answer`;
  return [withheld && "not said", candidate.action, `score ${signed(candidate.score)}`].filter(Boolean).join(" · ");
}

function candidateItem(candidate, said, withheld, threshold, say) {
  const instead = () => say(candidate.text, candidate.action);
  const share = withheld ? candidate.certainty : candidate.probability;
  return el(
    "li",
    { class: candidate.text === said ? "said-this" : null, vars: { w: share } },
    el("span", { class: "share" }, candidate.fallback ? "–" : percent(share)),
    el("span", { class: "what" }, candidate.text),
    el("span", { class: "score soft" }, scored(candidate, withheld, threshold)),
    say && candidate.text !== said
      ? el("button", { type: "button", class: "quiet small", onclick: instead, "aria-label": `Say this instead: ${candidate.text}` }, "Say this")
      : null,
  );
}

function memoryRow(memory) {
  const cell = (share) => el("td", { vars: { w: share } }, share < 0.0005 ? "·" : percent(share));
  const line = el("th", { scope: "row" }, el("span", { class: "who" }, memory.speaker), el("span", {}, spoken(memory.text)));
  return el("tr", {}, line, ...memory.attention.map(cell));
}

function showMemories(memories, all) {
  const hops = memories[0]?.attention.length ?? 0;
  const strong = memories.filter((memory) => !hops || Math.max(...memory.attention) >= LEAST);
  byId("memories").replaceChildren(...(all ? memories : strong).map(memoryRow));
  byId("hops").replaceChildren(
    el("th", { scope: "col" }, "Line, latest first"),
    ...Array.from({ length: hops }, (_, hop) => el("th", { scope: "col" }, `Hop ${hop + 1}`)),
  );
  byId("memories-title").textContent = hops ? "What it attended to" : "What it remembers";
  byId("memories-note").textContent = !memories.length
    ? "Nothing was said before, so there was nothing to attend to."
    : hops
      ? "The share of its attention that each hop gave to a line."
      : "This kind of model does not show what of it counts.";
  byId("hops").closest(".scroll").hidden = !memories.length;
  const rest = memories.length - strong.length;
  const more = byId("more");
  more.hidden = all || rest === 0;
  more.textContent = `Show ${whole(rest)} more with less than ${100 * LEAST} %`;
  more.onclick = () => showMemories(memories, true);
}

/** Show what led to a turn. `known` is the number of candidates ("18 actions") and the certainty needed for an answer;
 * `say` changes the response, if that is still possible. */
export function showWhy(turn, known, say) {
  byId("why-empty").hidden = turn !== null;
  byId("why-full").hidden = turn === null;
  if (turn === null) return;
  const { candidates } = turn.found;
  const withheld = candidates[0].fallback && candidates[0].text === turn.system;
  byId("count").textContent = known.candidates;
  byId("candidates").replaceChildren(...candidates.map((candidate) => candidateItem(candidate, turn.system, withheld, known.threshold, say)));
  showMemories(turn.found.memories, false);
}
