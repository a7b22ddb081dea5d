// The page to talk to the model. The dialog lives in this page; the server keeps nothing of it.

import { get, post } from "./api.js";
import { byId, el, spoken, whole } from "./dom.js";
import { keep, recall } from "./kept.js";
import { showWhy } from "./why.js";

const TOP = 6;
let events = [];
let shown = null;
let known = { candidates: "", threshold: null };
let busy = false;

const turns = () => events.filter((event) => event.found);

const plain = (event) => (event.fact === undefined ? { user: event.user, system: event.system, action: event.action ?? "" } : { fact: event.fact });

const keepDialog = () => keep("dialog", { events, profile: byId("profile").value });

const bubble = (who, text, ...more) =>
  el("li", { class: who }, el("p", {}, el("span", { class: "unseen" }, `${who}: `), spoken(text)), ...more);

function eventItems(event) {
  if (event.fact !== undefined) return [bubble("fact", event.fact)];
  const items = [bubble(spoken(event.user) === event.user ? "user" : "user soft", event.user)];
  if (event.system === undefined) return items;
  const why = el(
    "button",
    { type: "button", class: "quiet small", "aria-pressed": String(event === shown), "aria-label": `Why: ${event.system}`, onclick: () => explain(event) },
    "Why?",
  );
  const action = event.action ? [el("span", { class: "action soft" }, event.action)] : [];
  return [...items, bubble("system", event.system, ...action, why)];
}

/** Add only what is new, so that a screen reader says only that; draw all anew when something else changed. */
function draw(fresh = null) {
  if (fresh) byId("said").append(...fresh);
  else byId("said").replaceChildren(...events.flatMap(eventItems));
  toEnd();
  byId("openings").hidden = events.length > 0 || !byId("openings").querySelector("li");
}

function toEnd() {
  const log = byId("log");
  log.scrollTop = log.scrollHeight;
}

function explain(event) {
  shown = event;
  const last = event !== null && event === turns().at(-1) && event === events.at(-1);
  showWhy(event, known, last ? sayInstead : null);
  const buttons = [...byId("log").querySelectorAll("li.system button")];
  turns().forEach((turn, index) => buttons[index]?.setAttribute("aria-pressed", String(turn === event)));
}

function sayInstead(text, action) {
  shown.system = text;
  shown.action = action ?? "";
  draw();
  explain(shown);
  keepDialog();
  byId("user").focus();
}

async function say(user) {
  if (busy) return;
  setBusy(true);
  byId("problem").textContent = "";
  const before = events.map(plain);
  const turn = { user };
  events.push(turn);
  draw(eventItems(turn));
  try {
    turn.found = await post("/api/respond", { events: before, user, profile: byId("profile").value, top: TOP });
    turn.system = turn.found.response;
    turn.action = turn.found.action;
    draw(eventItems(turn).slice(1));
    explain(turn);
    unknown(turn.found.unknown_words);
    toEnd();
    keepDialog();
  } catch (error) {
    events = events.filter((event) => event !== turn);
    draw();
    byId("problem").textContent = error.message;
    byId("user").value ||= user;
  }
  setBusy(false);
}

function setBusy(now) {
  busy = now;
  byId("log").setAttribute("aria-busy", String(now));
}

function unknown(words) {
  const list = words.map((word) => `“${word}”`).join(", ");
  byId("unknown").textContent = words.length ? `The model has never seen ${list}.` : "";
}

function giveFacts() {
  const facts = byId("fact").value.split("\n").map((line) => line.trim()).filter(Boolean);
  const fresh = facts.map((fact) => ({ fact }));
  events.push(...fresh);
  byId("fact").value = "";
  draw(fresh.flatMap(eventItems));
  explain(shown);
  keepDialog();
}

function begin() {
  events = [];
  unknown([]);
  draw();
  explain(null);
  keepDialog();
  byId("user").focus();
}

function measured(run) {
  if (run.valid_accuracy === null) return "";
  const share = `${run.valid_accuracy.toFixed(1)} %`;
  return run.measure === "R_100@1"
    ? `; at ${share} of the validation turns the right response ranks first among up to 99 others`
    : `, ${share} right in validation`;
}

function about(run) {
  return `Method: ${run.method}${measured(run)}. It chooses among ${known.candidates} and knows ${whole(run.words)} words.`;
}

const WHEN = {
  all: "",
  needed: "The model sees a fact when it has just come, and again once something that identifies it was said.",
  mentioned: "The model sees a fact once something that identifies it was said.",
  none: "This model does not remember facts.",
};
const NAMING = "Responses may name what the facts are about.";

function showOpenings(openings) {
  const button = (text) => el("li", {}, el("button", { type: "button", class: "quiet", onclick: () => say(text) }, text));
  byId("openings").querySelector("ul").replaceChildren(...openings.map(button));
}

async function start() {
  byId("composer").addEventListener("submit", (event) => {
    event.preventDefault();
    if (busy) return;
    const user = byId("user").value.trim();
    byId("user").value = "";
    say(user);
  });
  byId("give").addEventListener("click", giveFacts);
  byId("new").addEventListener("click", begin);
  byId("profile").addEventListener("change", keepDialog);
  const kept = recall("dialog", { events: [], profile: "" });
  events = kept.events;
  byId("profile").value = kept.profile;
  try {
    const run = await get("/api/run");
    known = { candidates: `${whole(run.candidates)} ${run.chooses}`, threshold: run.threshold };
    byId("fact").placeholder = run.fact_example;
    byId("about").textContent = about(run);
    byId("when").textContent = [WHEN[run.facts], run.entities === "facts" ? NAMING : ""].filter(Boolean).join(" ");
    showOpenings(run.openings);
  } catch (error) {
    byId("problem").textContent = error.message;
  }
  draw();
  explain(turns().at(-1) ?? null);
}

start();
