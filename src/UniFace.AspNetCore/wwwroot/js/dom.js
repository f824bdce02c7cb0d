// Builds elements without innerHTML, so that data is never parsed as markup.

/** Creates an element; on* functions become listeners, further arguments become children. */
export function el(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

/** Creates an SVG element in the same way. */
export function svg(name, attributes = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
}

function fill(node, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) {
      continue;
    }

    if (key.startsWith("on") && typeof value === "function") {
      node.addEventListener(key.slice(2), value);
    } else {
      node.setAttribute(key, value === true ? "" : String(value));
    }
  }

  node.append(...children.flat().filter(child => child !== null && child !== undefined));
  return node;
}

/** The element with an id. */
export const byId = id => document.getElementById(id);

/** A message of the kind "", "good", "warn" or "bad". Screen readers announce bad ones at once. */
export function notice(kind, ...content) {
  return el("div", { class: `notice ${kind}`.trim(), role: kind === "bad" ? "alert" : "status" }, ...content);
}

/** A time as "30 Nov 2026, 14:05". */
export const moment = time => new Date(time).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" });

/** Radians as degrees. */
export const degrees = (radians, digits = 0) => `${(radians * 180 / Math.PI).toFixed(digits)}°`;

/** A number with three significant digits. */
export function number(value) {
  if (value === null || value === undefined || !Number.isFinite(value)) {
    return "–";
  }

  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) {
    return value.toExponential(1);
  }

  return size >= 1000 ? Math.round(value).toLocaleString("en") : String(Number(value.toPrecision(3)));
}

/** A loss with its most important hyperparameters only. */
export function short(loss) {
  const name = loss?.split("(")[0];
  const kept = (loss?.match(/\b(margin|m1|m2|m3|scale)=[^,)]*/g) ?? []).join(", ");
  return name ? (kept ? `${name}, ${kept}` : name) : "–";
}
