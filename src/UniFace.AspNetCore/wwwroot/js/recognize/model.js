// The model card of the model that recognizes.
import { api } from "../api.js";
import { el } from "../dom.js";

const columns = ["False match rate", "Threshold", "True match rate"];

/** Fills a section with the model card; it stays hidden without a model. */
export async function showModel(section, target) {
  try {
    const card = await api("/v1/model");
    target.replaceChildren(
      el("p", {}, card.model, el("span", { class: "muted" }, `, licence: ${card.licence}`)),
      el("p", {}, card.measuredOn ?? "Not measured: the package has no calibration."),
      card.results.length > 0 ? results(card.results) : "",
      part("Intended use", card.intendedUse),
      part("Training data", card.training),
      part("Results by group", [card.groups]),
      part("Limits", card.limits));
    section.hidden = false;
  } catch {
    section.hidden = true; // The forms above say why there is no model.
  }
}

function part(title, lines) {
  return el("details", {}, el("summary", {}, title), el("ul", {}, lines.map(line => el("li", {}, line))));
}

function results(rows) {
  return el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Measured results" },
    el("table", { class: "labelled" }, el("caption", {}, "Measured results with 95 % confidence intervals"),
      el("thead", {}, el("tr", {}, columns.map(name => el("th", { scope: "col" }, name)))),
      el("tbody", {}, rows.map(row => el("tr", {},
        el("th", { scope: "row", "data-label": columns[0] }, String(row.falseMatchRate)),
        ...(row.threshold === null
          ? [el("td", { colspan: 2 }, "not supported by the number of pairs")]
          : [el("td", { "data-label": columns[1] }, interval(row.threshold, row.thresholdLow, row.thresholdHigh)),
            el("td", { "data-label": columns[2] }, interval(row.trueMatchRate, row.trueMatchRateLow, row.trueMatchRateHigh))]))))));
}

function interval(value, low, high) {
  return value === null ? "–" : low === null || high === null ? value.toFixed(3) : `${value.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`;
}
