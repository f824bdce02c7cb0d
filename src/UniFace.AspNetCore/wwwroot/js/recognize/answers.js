// Shows the service's answers about faces as text and images.
import { el, svg } from "../dom.js";

/** An aligned face with its quality and faults. */
export function face(answer, label) {
  const faults = answer.faults.map(fault => fault.message);
  return el("figure", {},
    answer.crop ? el("img", { src: `data:image/png;base64,${answer.crop}`, alt: `${label}, aligned`, width: 112, height: 112 }) : null,
    el("figcaption", {}, label, el("small", {}, el("br"), `Quality ${answer.quality.overall.toFixed(2)} of 1`),
      faults.length ? el("small", { class: "muted" }, el("br"), faults.join(" ")) : null));
}

/** How often two different people reach a score, as text. */
export function oneIn(rate) {
  if (rate === null || rate === undefined) {
    return "how often two different people score this high is unknown, because the model has no calibration";
  }

  if (rate <= 0) {
    return "no pair of different people in the calibration data scored this high";
  }

  return `${frequency(rate)} pairs of different people score this high`;
}

/** Where the scale begins: models differ in the cosines of strangers, so as far below the threshold as shows a typical one, or at the score. */
export function scaleStart(score, threshold) {
  return Math.max(-1, Math.min(threshold - 0.8 * (1 - threshold), score));
}

/** The score on its scale, which ends at cosine 1, with the threshold. */
export function scale(score, threshold, yes) {
  const low = Math.min(scaleStart(score, threshold), 0.999);
  const at = value => 10 + (Math.min(1, Math.max(low, value)) - low) / (1 - low) * 380;
  const anchor = x => (x < 60 ? "start" : x > 340 ? "end" : "middle");
  const label = `Score ${score.toFixed(3)}, threshold ${threshold.toFixed(3)}, on a scale from ${low.toFixed(2)} to 1`;
  return el("div", { class: "scale" }, svg("svg", { viewBox: "0 0 400 62", role: "img", "aria-label": label },
    svg("rect", { class: "track", x: 10, y: 22, width: 380, height: 14, rx: 7 }),
    svg("circle", { class: yes ? "yes" : "no", cx: at(score), cy: 29, r: 9 }),
    svg("line", { class: "edge", x1: at(threshold), x2: at(threshold), y1: 14, y2: 44 }),
    svg("text", { x: at(score), y: 12, "text-anchor": anchor(at(score)) }, `score ${score.toFixed(3)}`),
    svg("text", { x: at(threshold), y: 58, "text-anchor": anchor(at(threshold)) }, `threshold ${threshold.toFixed(3)}`)));
}

/** How often a stranger is mistaken for an enrolled person, as text. */
export function strangers(answer, people) {
  const rate = answer.falsePositiveIdentificationRate;
  if (rate === null || people === 0) {
    return "";
  }

  const enrolled = `${people.toLocaleString("en")} enrolled ${people === 1 ? "person" : "people"}`;
  return `With ${enrolled}, a stranger is mistaken for one of them in about ${frequency(rate)} searches.`;
}

/** The threshold of an answer, as text. */
export function decided(answer) {
  return answer.falseMatchRate === null
    ? `Threshold: cosine ${answer.threshold.toFixed(3)}.`
    : `Threshold: cosine ${answer.threshold.toFixed(3)}; ${oneIn(answer.falseMatchRate)}` +
      `${answer.calibratedOn ? ` (calibrated on ${answer.calibratedOn})` : ""}.` +
      `${answer.calibrationWarning ? ` Warning: ${answer.calibrationWarning}.` : ""}` +
      `${answer.suitability ? ` The model is ${answer.suitability}.` : ""}`;
}

/** A rate as "1 in 1,000". */
export function frequency(rate) {
  return rate === null ? "unknown"
    : rate <= 0 ? "none observed"
      : rate >= 0.1 ? `${Math.round(rate * 100)} in 100`
        : `1 in ${Math.round(1 / rate).toLocaleString("en")}`;
}
