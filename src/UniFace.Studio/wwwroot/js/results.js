import "./shell.js";
import { api, ask } from "./api.js";
import { byId, el, moment, notice, number } from "./dom.js";

const titles = { "roc.svg": "ROC", "det.svg": "DET", "scores.svg": "Pair scores", "errors.jpg": "Worst errors" };
const percent = value => (value === null || value === undefined ? "–" : `${(value * 100).toFixed(2)}\u00a0%`);
const area = value => value?.toFixed(4) ?? "–"; // three digits would show 0.9996 as 1

const place = name => (Object.keys(titles).indexOf(name) + 1 || 99);

try {
  const { folder, results } = await api("/v1/results");
  byId("where").replaceChildren("Evaluations written by ", el("code", {}, "uniface eval MODEL … --out"), ` in ${folder}.`);
  const command = el("code", {}, `uniface eval MODEL --pairs FILE --images FOLDER --out ${folder}/NAME`);
  byId("results").append(...results.length ? results.map(show) : [notice("", "There are no evaluations in this folder yet. Create one with ", command, ".")]);
} catch (error) {
  byId("results").append(notice("bad", error.message));
}

function show(result, i) {
  const { report } = result;
  const id = `result-${i}`;
  return el("section", { class: "card result", "aria-labelledby": id },
    el("h2", { id }, result.name),
    el("p", { class: "muted" }, `${report.protocol === "identify" ? "1:N" : report.data ?? report.protocol}, model ${report.model ?? "unknown"}, ` +
      moment(result.measured)),
    report.protocol === "identify" ? identified(report) : verified(report),
    el("div", { class: "figures" }, result.figures.toSorted((a, b) => place(a) - place(b)).map(name => {
      const title = titles[name] ?? name.replace(/\.[a-z]+$/, "").replaceAll("-", " ");
      const query = new URLSearchParams({ result: result.name, name });
      return el("figure", {}, el("h3", {}, title), image(`/v1/results/figure?${query}`, `${title} of ${result.name}`));
    })));
}

/** An image that is fetched like other data, so that the API key is sent with it. */
function image(path, alt) {
  const image = el("img", { alt });
  const box = el("div", {}, image);
  ask(path).then(answer => answer.blob()).then(blob => { image.src = URL.createObjectURL(blob); })
    .catch(error => box.replaceChildren(notice("bad", error.message)));
  return box;
}

function verified(report) {
  return table(`${number(report.samePairs)} mated and ${number(report.differentPairs)} non-mated pairs`, [
    ["Accuracy over folds", percent(report.accuracy), `± ${percent(report.accuracyStandardError)} (standard error)`, number(report.threshold)],
    ["Area under the ROC curve", area(report.auc), `${area(report.aucLow)} to ${area(report.aucHigh)}`, ""],
    ["Equal error rate", percent(report.eer), `${percent(report.eerLow)} to ${percent(report.eerHigh)}`, number(report.eerThreshold)],
    ...rates("TAR at FAR", report.tarAtFar, at => at.tar),
  ]);
}

function identified(report) {
  return table(`${number(report.galleryPeople)} enrolled people, ${number(report.mated)} mated and ${number(report.nonMated)} non-mated probes`, [
    ["Hit rate, rank 1", percent(report.rank1), "", ""],
    ["Hit rate, rank 5", percent(report.rank5), "", ""],
    ["Hit rate, rank 10", percent(report.rank10), "", ""],
    ...rates("DIR at FPIR", report.dirAtFpir, at => at.dir),
  ]);
}

function rates(name, points, rateOf) {
  return Object.entries(points ?? {}).map(([rate, at]) => [
    `${name} ${rate}`,
    rateOf(at) === null ? "unknown" : percent(rateOf(at)),
    rateOf(at) === null ? at.why : `${percent(at.low)} to ${percent(at.high)}`,
    at.threshold === null ? "" : number(at.threshold),
  ]);
}

function table(caption, rows) {
  const head = ["Measure", "Value", "95 % interval", "Threshold"];
  return el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": caption }, el("table", { class: "stacked" }, el("caption", {}, caption),
    el("thead", {}, el("tr", {}, head.map(name => el("th", { scope: "col" }, name)))),
    el("tbody", {}, rows.map(([name, ...cells]) => el("tr", {}, el("th", { scope: "row" }, name), cells.map(cell => el("td", {}, cell)))))));
}
