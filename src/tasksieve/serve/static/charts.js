// Small drawings of weights over training. All have the whole range 0 to 1 as their height.

import { svg, weightText } from "./dom.js";

const points = (course, places, width, height) =>
  course
    .map((weight, index) => (weight === null ? null : [places[index] * width, (1 - weight) * height]))
    .filter(Boolean);

const path = (found) => found.map(([x, y], index) => `${index ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");

const even = (count) => Array.from({ length: count }, (_, index) => (count > 1 ? index / (count - 1) : 0.5));

/** A weight's course in a line of text. */
export function sparkline(course) {
  const known = course.filter((weight) => weight !== null);
  if (!known.length) return null;
  const [width, height] = [88, 24];
  const line = points(course, even(course.length), width, height);
  const [first, last] = [line[0], line[line.length - 1]];
  const label = `weight from ${weightText(known[0])} to ${weightText(known[known.length - 1])} over training`;
  return svg(
    "svg",
    { class: "spark", viewBox: `-3 -3 ${width + 6} ${height + 6}`, width: width + 6, height: height + 6, role: "img", "aria-label": label },
    svg("title", {}, label),
    svg("path", { class: "floor", d: `M0 ${height}H${width}` }),
    svg("path", { class: "area", d: `${path(line)}L${last[0].toFixed(1)} ${height}L${first[0].toFixed(1)} ${height}Z` }),
    svg("path", { class: "line", d: path(line) }),
    svg("circle", { cx: last[0], cy: last[1], r: 2.5 }),
  );
}

/** The mean weight over training, each kind as a thin line, those in `chosen` as a strong one. */
export function meansPlot(overview, chosen) {
  const [width, height] = [1000, 160];
  const last = Math.max(1, overview.steps.length - 1);
  const places = overview.course_steps.map((step) => overview.steps.indexOf(step) / last);
  const line = (course, name) =>
    svg("path", { class: name, d: path(points(course, places, width, height)), "vector-effect": "non-scaling-stroke" });
  const now = (overview.steps.indexOf(overview.step) / last) * width;
  const known = overview.course.filter((weight) => weight !== null);
  const label = `Mean weight from ${weightText(known[0] ?? null)} at the first record to ${weightText(known[known.length - 1] ?? null)} at the last`;
  return svg(
    "svg",
    { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", role: "img", "aria-label": label },
    ...[0, 0.5, 1].map((level) => svg("path", { class: "floor", d: `M0 ${level * height}H${width}`, "vector-effect": "non-scaling-stroke" })),
    ...overview.kinds.map((kind) => line(kind.course, chosen.includes(kind.kind) ? "kind chosen" : "kind")),
    line(overview.course, "mean"),
    svg("path", { class: "now", d: `M${now} 0V${height}`, "vector-effect": "non-scaling-stroke" }),
  );
}

/** How many weights lie in each part of 0 to 1, as upright bars. */
export function histogram(counts) {
  const [width, height] = [1000, 160];
  const [most, step] = [Math.max(1, ...counts), width / counts.length];
  const bars = counts.map((count, index) => {
    const tall = count ? Math.max(2, (count / most) * height) : 0;
    const from = index / counts.length;
    return svg(
      "rect",
      { x: index * step + 2, y: height - tall, width: step - 4, height: tall },
      svg("title", {}, `${count} weights from ${from.toFixed(2)} to ${(from + 1 / counts.length).toFixed(2)}`),
    );
  });
  const label = `Weights from 0 to 1 in ${counts.length} bars, the highest of ${most}`;
  return svg(
    "svg",
    { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", role: "img", "aria-label": label },
    svg("path", { class: "floor", d: `M0 ${height}H${width}`, "vector-effect": "non-scaling-stroke" }),
    ...bars,
  );
}
