// What the service says of faces, in words and pictures.
import { el, svg } from "../dom.js";

/** An aligned face with what is wrong with it. */
export function face(answer, label) {
  const faults = answer.faults.map(fault => fault.message);
  return el("figure", {},
    answer.crop ? el("img", { src: `data:image/png;base64,${answer.crop}`, alt: `${label}, cut out and turned upright`, width: 112, height: 112 }) : null,
    el("figcaption", {}, label, faults.length ? el("small", { class: "muted" }, el("br"), faults.join(" ")) : null));
}

/** How often two different people are as much alike, as people say it. */
export function oneIn(rate) {
  if (rate === null || rate === undefined) {
    return "how often two different people score as much is not known: this model has no calibration";
  }

  if (rate <= 0) {
    return "none of the pairs of different people that it was calibrated on scored as much";
  }

  return rate >= 0.1 ? `${Math.round(rate * 100)} in 100 pairs of different people score as much` : `1 in ${Math.round(1 / rate).toLocaleString("en")} pairs of different people scores as much`;
}

/** The score on its scale, from cosine -0.2 to 1, with the threshold. */
export function scale(score, threshold, yes) {
  const at = value => 10 + (Math.min(1, Math.max(-0.2, value)) + 0.2) / 1.2 * 380;
  const anchor = x => (x < 60 ? "start" : x > 340 ? "end" : "middle");
  return el("div", { class: "scale" }, svg("svg", { viewBox: "0 0 400 62", role: "img", "aria-label": `Score ${score.toFixed(3)}, threshold ${threshold.toFixed(3)}` },
    svg("rect", { class: "track", x: 10, y: 22, width: 380, height: 14, rx: 7 }),
    svg("circle", { class: yes ? "yes" : "no", cx: at(score), cy: 29, r: 9 }),
    svg("line", { class: "edge", x1: at(threshold), x2: at(threshold), y1: 14, y2: 44 }),
    svg("text", { x: at(score), y: 12, "text-anchor": anchor(at(score)) }, `score ${score.toFixed(3)}`),
    svg("text", { x: at(threshold), y: 58, "text-anchor": anchor(at(threshold)) }, `threshold ${threshold.toFixed(3)}`)));
}

/** How often a stranger is taken for one of so many: at most the sum over them, however their comparisons hang together. */
export function strangers(answer, people) {
  if (answer.falseMatchRate === null || people === 0) {
    return "";
  }

  const most = Math.min(1, answer.falseMatchRate * people);
  return `Among ${people.toLocaleString("en")} enrolled ${people === 1 ? "person" : "people"} that takes a stranger for somebody in at most ${most < 0.01 ? `1 in ${Math.floor(1 / most).toLocaleString("en")}` : `${Math.ceil(most * 100 - 1e-9)} in 100`} searches.`;
}

/** Where the answer was decided. */
export function decided(answer) {
  return answer.falseMatchRate === null
    ? `Decided at cosine ${answer.threshold.toFixed(3)}.`
    : `Decided at cosine ${answer.threshold.toFixed(3)}, where ${oneIn(answer.falseMatchRate)}${answer.calibratedOn ? ` (calibrated on ${answer.calibratedOn})` : ""}.${answer.calibrationWarning ? ` Warning: ${answer.calibrationWarning}.` : ""}`;
}
