// The page of all weights: filters, a list a page at a time, and files of what is selected.

import { address, get } from "./api.js";
import { histogram, meansPlot } from "./charts.js";
import { byId, el, weightText, whole } from "./dom.js";
import { keep } from "./kept.js";
import { dialogItem, turnItem } from "./turns.js";

const LIMIT = 25;
const FIELDS = ["text", "low", "high", "task", "dialog", "order", "view"];
const form = byId("filters");
const slider = byId("step");
let overview = null;
let offset = 0;
let waiting = null;
let underWay = null;

const chosenKinds = () => [...form.querySelectorAll("#kinds input:checked")].map((box) => box.value);

/** What the form selects, as parameters of the API. */
function selection() {
  const values = Object.fromEntries(FIELDS.filter((name) => name !== "view").map((name) => [name, byId(name).value.trim()]));
  if (values.order === "highest") values.order = "";
  const last = Number(slider.value) === overview.steps.length - 1;
  return { ...values, kind: chosenKinds(), step: last ? "" : overview.steps[slider.value] };
}

function kindBox(kind, chosen) {
  return el(
    "label",
    { class: "kind-box", vars: { w: kind.weight ?? 0 } },
    el("input", { type: "checkbox", value: kind.kind, checked: chosen.includes(kind.kind) }),
    el("span", { class: "kind-name" }, kind.kind),
    el("span", { class: "soft" }, el("span", { class: "unseen" }, "examples: "), whole(kind.examples)),
    el("span", { class: "kind-weight" }, weightText(kind.weight)),
  );
}

function showOverview() {
  const chosen = chosenKinds();
  const labels = el("div", { class: "levels", "aria-hidden": "true" }, ...["1", "0.5", "0"].map((text) => el("span", {}, text)));
  byId("plot").replaceChildren(labels, meansPlot(overview, chosen));
  byId("spread").replaceChildren(histogram(overview.histogram));
  byId("step-shown").textContent = whole(overview.step);
  slider.setAttribute("aria-valuetext", `iteration ${overview.step}`);
  const tasks = overview.tasks > 1 ? ` of ${overview.tasks} related tasks` : "";
  byId("summary").textContent =
    `${whole(overview.examples)} related turns in ${whole(overview.dialogs)} dialogs${tasks}, each with a weight ` +
    `between 0 and 1. At iteration ${whole(overview.step)} their mean is ${weightText(overview.weight)}.`;
}

/** Kinds keep the order in which they came first, so that a checkbox never moves away from a pointer. */
function updateKinds() {
  const now = new Map(overview.kinds.map((kind) => [kind.kind, kind]));
  for (const box of form.querySelectorAll(".kind-box")) {
    const kind = now.get(box.querySelector("input").value);
    box.style.setProperty("--w", kind.weight ?? 0);
    box.querySelector(".kind-weight").textContent = weightText(kind.weight);
  }
}

function showPage(found, view) {
  const options = { step: found.step, services: overview.tasks > 1 ? overview.services : null };
  const item = view === "dialogs" ? dialogItem : turnItem;
  byId("items").replaceChildren(...found.items.map((one) => item(one, options)));
  const name = view === "dialogs" ? "dialog" : "turn";
  const mean = view === "dialogs" || found.weight === null ? "" : `, mean weight ${weightText(found.weight)}`;
  byId("found-title").textContent = found.total ? `${whole(found.total)} ${name}${found.total === 1 ? "" : "s"}${mean}` : `No ${name} is like that`;
  byId("before").disabled = offset === 0;
  byId("after").disabled = offset + LIMIT >= found.total;
  byId("place").textContent = found.total ? `${whole(offset + 1)} to ${whole(Math.min(offset + LIMIT, found.total))}` : "";
}

async function refresh() {
  underWay?.abort();
  underWay = new AbortController();
  const { signal } = underWay;
  const [asked, view] = [selection(), byId("view").value];
  const here = address("/weights", { ...asked, view: view === "examples" ? "" : view, offset: offset || "" });
  history.replaceState(null, "", here);
  keep("list", here);
  try {
    const step = overview.steps[slider.value];
    const page = get(`/api/${view}`, { ...asked, offset, limit: LIMIT }, signal);
    if (step !== overview.step) {
      overview = await get("/api/weights", { step }, signal);
      updateKinds();
    }
    showOverview();
    showPage(await page, view);
    byId("problem").textContent = "";
  } catch (error) {
    if (error.name !== "AbortError") byId("problem").textContent = error.message;
  }
  for (const link of byId("export").querySelectorAll("a")) link.href = address("/api/export", { ...asked, format: link.dataset.format });
}

function later(delay) {
  clearTimeout(waiting);
  waiting = setTimeout(refresh, delay);
}

function turnPage(by) {
  offset = Math.max(0, offset + by);
  refresh().then(() => byId("found-title").scrollIntoView({ block: "nearest" }));
}

function listen() {
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", (event) => {
    offset = 0;
    later(event.target.type === "search" || event.target.type === "number" ? 180 : 30);
  });
  form.addEventListener("reset", () => {
    for (const box of form.querySelectorAll("#kinds input")) box.defaultChecked = false;
    setTimeout(() => {
      slider.value = slider.max;
      offset = 0;
      refresh();
    });
  });
  byId("before").addEventListener("click", () => turnPage(-LIMIT));
  byId("after").addEventListener("click", () => turnPage(LIMIT));
}

async function start() {
  const asked = new URLSearchParams(location.search);
  try {
    overview = await get("/api/weights");
  } catch (error) {
    byId("summary").textContent = error.message;
    return;
  }
  slider.max = overview.steps.length - 1;
  const step = overview.steps.indexOf(Number(asked.get("step") ?? NaN));
  slider.value = step < 0 ? slider.max : step;
  offset = Math.max(0, Number(asked.get("offset")) || 0);
  byId("task").append(...overview.services.map((name, number) => el("option", { value: number }, name)));
  for (const name of FIELDS) if (asked.get(name)) byId(name).value = asked.get(name);
  byId("kinds").append(...overview.kinds.map((kind) => kindBox(kind, asked.getAll("kind"))));
  byId("task-field").hidden = overview.tasks < 2;
  form.hidden = false;
  byId("side").open = !matchMedia("(max-width: 60rem)").matches;
  listen();
  await refresh();
}

start();
