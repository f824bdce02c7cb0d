// The decision boundary of two classes on a circle.
import { degrees, el, svg } from "../dom.js";

const r = 80;
const at = (angle, radius) => [100 + radius * Math.cos(angle), 100 - radius * Math.sin(angle)];

/** The figure of a decision boundary. */
export function circle(boundary, label, swatch) {
  const arcs = boundary.arcs.map(arc => ({ ...arc, kind: arc.first ? arc.second ? "both" : "first" : arc.second ? "second" : "rim" }));
  const text = boundary.first === null || boundary.second === null
    ? "no region between the centers satisfies the loss"
    : boundary.second > boundary.first
      ? `gap of ${degrees(boundary.second - boundary.first, 1)}`
      : boundary.first - boundary.second < 0.002 ? "no gap" : `${degrees(boundary.first - boundary.second, 1)} lie in both regions`;
  const drawing = svg("svg", { viewBox: "0 0 200 200", role: "img", "aria-label": `${label}: ${text}` },
    svg("circle", { class: "rim", cx: 100, cy: 100, r }),
    ...arcs.filter(arc => arc.kind !== "rim").map(arc => svg("path", { class: arc.kind, d: path(arc.from, arc.to) })),
    ...[boundary.first, boundary.second].filter(edge => edge !== null).map(edge => line(edge, "edge", r + 12)),
    ...[[0, "1"], [boundary.centersApart, "2"]].flatMap(([angle, name]) => {
      const [x, y] = at(angle, r - 20);
      return [line(angle, "center", r - 32), svg("text", { x, y: y + 4, "text-anchor": "middle" }, name)];
    }));
  return el("figure", { class: "circle" }, drawing, el("figcaption", {}, swatch, " ", label, el("br"), el("strong", {}, text)));
}

function line(angle, kind, to) {
  const [x, y] = at(angle, to);
  return svg("line", { class: kind, x1: 100, y1: 100, x2: x, y2: y });
}

function path(from, to) {
  const whole = to - from >= 2 * Math.PI - 1e-6;
  const [x0, y0] = at(from, r);
  const [x1, y1] = at(whole ? to - 0.001 : to, r);
  return `M${x0.toFixed(2)} ${y0.toFixed(2)}A${r} ${r} 0 ${to - from > Math.PI ? 1 : 0} 0 ${x1.toFixed(2)} ${y1.toFixed(2)}`;
}
