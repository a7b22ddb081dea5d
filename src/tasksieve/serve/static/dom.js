// Elements made of data: text always becomes a text node, never markup.

const SVG = "http://www.w3.org/2000/svg";

/** The element with an id. */
export const byId = (id) => document.getElementById(id);

/** An HTML element; `vars` are CSS variables, names led by "on" are listeners, null and false are left out. */
export function el(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

/** Likewise an SVG element. */
export function svg(name, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, name), attributes, children);
}

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === false || value === undefined) continue;
    if (name === "vars") for (const [key, number] of Object.entries(value)) element.style.setProperty(`--${key}`, number);
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** A whole number with separators, as "18,340". */
export const whole = (number) => number.toLocaleString("en");

/** A weight with two digits, or a dash if there is none. */
export const weightText = (weight) => (weight === null ? "–" : weight.toFixed(2));

/** A number with two digits behind the point and a true minus sign; none for a zero. */
export const signed = (value) => value.toFixed(2).replace(/^-(0\.00)$/, "$1").replace("-", "−");

/** A share in per cent, as "12.3 %". */
export const percent = (share) => `${(100 * share).toFixed(share < 0.0995 ? 1 : 0)} %`;

/** An utterance as people read it. */
export const spoken = (text) => (text === "<SILENCE>" || text === "" ? "(silence)" : text);
