// The page of one dialog: all its turns, shaded by their weight at an iteration.

import { get } from "./api.js";
import { byId, weightText } from "./dom.js";
import { recall } from "./kept.js";
import { dialogAddress, turnItem } from "./turns.js";

const { task, dialog } = byId("title").dataset;
const slider = byId("step");
let steps = [];
let asked = 0;

async function show(step, first = false) {
  const number = ++asked;
  let found;
  try {
    found = await get(`/api/dialogs/${task}/${dialog}`, { step });
  } catch (error) {
    byId("problem").textContent = error.message;
    return;
  }
  if (number !== asked) return;
  byId("problem").textContent = "";
  steps = found.steps;
  slider.max = steps.length - 1;
  slider.value = steps.indexOf(found.step);
  slider.setAttribute("aria-valuetext", `iteration ${found.step}`);
  byId("step-shown").textContent = found.step;
  if (found.service) byId("title").textContent = `${found.service}, dialog ${dialog}`;
  byId("summary").textContent =
    `${found.turns.length} turns, mean weight ${weightText(found.weight)} at iteration ${found.step}. ` +
    "The stronger the shade, the more the model learned from a turn.";
  byId("items").replaceChildren(...found.turns.map((turn) => turnItem(turn)));
  neighbour(byId("before"), found.before, found.step);
  neighbour(byId("after"), found.after, found.step);
  byId("full").hidden = false;
  history.replaceState(null, "", dialogAddress(task, dialog, found.step) + location.hash);
  if (first && location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView({ block: "center" });
}

function neighbour(link, place, step) {
  link.hidden = place === null;
  if (place !== null) link.href = dialogAddress(place[0], place[1], step);
}

byId("back").href = recall("list", "/weights");
slider.addEventListener("input", () => show(steps[slider.value]));
show(new URLSearchParams(location.search).get("step"), true);
