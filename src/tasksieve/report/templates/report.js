"use strict";

const BINS = 20;
const TICKS = [["0", 0], ["¼", 25], ["½", 50], ["¾", 75], ["1", 100]];
const PAUSE = 350;

const counted = (number) => number.toLocaleString("en");

function element(tag, classes, text) {
  const made = document.createElement(tag);
  made.className = classes;
  if (text !== undefined) made.textContent = text;
  return made;
}

// The lowest round number that three or four even lines of a scale can end at.
function scaleTo(highest) {
  const unit = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(1, highest))) - 1);
  const step = [1, 2, 2.5, 5, 10, 20, 25].map((n) => n * unit).find((n) => n % 1 === 0 && n * 4 >= highest);
  return { step, top: step * Math.max(1, Math.ceil(highest / step)) };
}

const sums = (parts, place) =>
  Array.from({ length: BINS }, (_, bin) => parts.reduce((sum, part) => sum + part.counts[place][bin], 0));

function lines(plot, scale) {
  for (let value = 0; value <= scale.top; value += scale.step) {
    const line = element("div", "line", counted(value));
    line.style.bottom = `${(100 * value) / scale.top}%`;
    plot.append(line);
  }
  for (const [text, left] of TICKS) {
    const tick = element("div", "tick", text);
    tick.style.left = `${left}%`;
    plot.append(tick);
  }
}

function bars(plot, parts, place, scale) {
  const columns = element("div", "bars");
  for (let bin = 0; bin < BINS; bin += 1) {
    const column = element("div", "column");
    for (const part of parts) {
      const bar = element("div", `part ${part.name.replace(" ", "-")}`);
      bar.style.height = `${(100 * part.counts[place][bin]) / scale.top}%`;
      if (part.counts[place][bin] > 0) column.append(bar);
    }
    columns.append(column);
  }
  plot.append(columns);
}

function words(totals) {
  const quarters = [0, 1, 2, 3].map((quarter) => totals.slice(quarter * 5, quarter * 5 + 5).reduce((a, b) => a + b));
  const shares = quarters.map((count, quarter) => `${counted(count)} from ${TICKS[quarter][1] / 100} on`);
  return `Related examples by weight, in quarters: ${shares.join(", ")}`;
}

function bringToLife(figure) {
  const { steps, means, parts } = JSON.parse(figure.dataset.snapshots);
  const [plot, slider, play, same] = [".plot", "input[type=range]", "button", "input[type=checkbox]"].map((which) =>
    figure.querySelector(which),
  );
  const highest = steps.map((_, place) => Math.max(...sums(parts, place)));
  let timer = 0;

  function draw() {
    const place = Number(slider.value);
    const scale = scaleTo(same.checked ? Math.max(...highest) : highest[place]);
    plot.replaceChildren();
    lines(plot, scale);
    bars(plot, parts, place, scale);
    plot.setAttribute("aria-label", words(sums(parts, place)));
    const moment = `iteration ${counted(steps[place])}, mean weight ${means[place]}`;
    figure.querySelector("output").value = moment;
    slider.setAttribute("aria-valuetext", moment);
  }

  function stop() {
    window.clearInterval(timer);
    timer = 0;
    play.textContent = "Play";
  }

  function advance() {
    slider.value = Number(slider.value) + 1;
    draw();
    if (slider.value === slider.max) stop();
  }

  play.addEventListener("click", () => {
    if (timer) {
      stop();
      return;
    }
    if (slider.value === slider.max) slider.value = 0;
    draw();
    play.textContent = "Stop";
    timer = window.setInterval(advance, PAUSE);
  });
  slider.addEventListener("input", () => {
    stop();
    draw();
  });
  same.addEventListener("change", draw);
  draw();
  figure.hidden = false;
  const stages = figure.nextElementSibling;
  if (stages !== null) stages.open = false;
}

document.querySelectorAll("[data-snapshots]").forEach(bringToLife);
