// A related turn as a list item: its weight, what was said (shaded by the weight), its kind and its course.

import { sparkline } from "./charts.js";
import { address } from "./api.js";
import { el, spoken, weightText } from "./dom.js";

const said = (who, text) =>
  el(
    "p",
    {},
    el("span", { class: "who" }, who),
    el("span", { class: spoken(text) === text ? "said" : "said soft" }, spoken(text)),
  );

/** The address of a dialog's page. */
export const dialogAddress = (task, dialog, step) => address(`/dialogs/${task}/${dialog}`, { step });

const dialogName = (services, task, dialog) =>
  services === null ? `Dialog ${dialog}` : `${services[task]}, dialog ${dialog}`;

/** One turn; with `step` it links to its dialog at that iteration. `services` names the tasks; null if there is one. */
export function turnItem(example, { step = null, services = null } = {}) {
  const place = `${dialogName(services, example.task, example.dialog)}, turn ${example.turn}`;
  const link = el("a", { href: `${dialogAddress(example.task, example.dialog, step)}#turn-${example.turn}` }, place);
  return el(
    "li",
    { id: step === null ? `turn-${example.turn}` : null, vars: { w: example.weight ?? 0 } },
    el("span", { class: "weight" }, el("span", { class: "unseen" }, "weight "), weightText(example.weight)),
    el("div", { class: "texts" }, said("user", example.user), said("system", example.system)),
    el("p", { class: "about" }, el("span", { class: "kind" }, example.kind), step === null ? null : link, sparkline(example.course)),
  );
}

/** A dialog in a list. */
export function dialogItem(dialog, { step, services }) {
  const name = dialogName(services, dialog.task, dialog.dialog);
  const count = dialog.selected === dialog.turns ? `${dialog.turns} turns` : `${dialog.selected} of ${dialog.turns} turns selected`;
  return el(
    "li",
    { vars: { w: dialog.weight ?? 0 } },
    el("span", { class: "weight" }, el("span", { class: "unseen" }, "mean weight "), weightText(dialog.weight)),
    el(
      "div",
      { class: "texts" },
      el("p", { class: "open" }, el("a", { href: dialogAddress(dialog.task, dialog.dialog, step) }, name)),
      said("user", dialog.opening),
    ),
    el("p", { class: "about" }, el("span", { class: "kind" }, count), sparkline(dialog.course)),
  );
}
