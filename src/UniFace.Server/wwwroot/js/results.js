import "./shell.js";
import { api, ask } from "./api.js";
import { byId, el, notice, number } from "./dom.js";

const titles = { "roc.svg": "ROC", "det.svg": "DET", "scores.svg": "Scores of pairs", "errors.jpg": "The worst errors" };
const percent = value => (value === null || value === undefined ? "–" : `${(value * 100).toFixed(2)}\u00a0%`);

const place = name => (Object.keys(titles).indexOf(name) + 1 || 99);

try {
  const { folder, results } = await api("/v1/results");
  byId("where").replaceChildren("Evaluations that ", el("code", {}, "uniface eval MODEL … --out"), ` wrote in ${folder}.`);
  byId("results").append(...results.length ? results.map(show) : [notice("", "There are no evaluations in this folder yet. Write one with ", el("code", {}, `uniface eval MODEL --pairs FILE --images FOLDER --out ${folder}/NAME`), ".")]);
} catch (error) {
  byId("results").append(notice("bad", error.message));
}

function show(result, i) {
  const { report } = result;
  const id = `result-${i}`;
  return el("section", { class: "card result", "aria-labelledby": id },
    el("h2", { id }, result.name),
    el("p", { class: "muted" }, `${report.protocol === "identify" ? "1:N" : report.data ?? report.protocol}, model ${report.model ?? "unknown"}, ${new Date(result.measured).toLocaleString("en-GB")}`),
    report.protocol === "identify" ? identified(report) : verified(report),
    el("div", { class: "figures" }, result.figures.toSorted((a, b) => place(a) - place(b)).map(name => {
      const title = titles[name] ?? name.replace(/\.[a-z]+$/, "").replaceAll("-", " ");
      return el("figure", {}, el("h3", {}, title), picture(`/v1/results/figure?${new URLSearchParams({ result: result.name, name })}`, `${title} of ${result.name}`));
    })));
}

/** A picture that is fetched as all else is, so that it comes with a key where the service wants one. */
function picture(path, alt) {
  const image = el("img", { alt });
  const box = el("div", {}, image);
  ask(path).then(answer => answer.blob()).then(blob => { image.src = URL.createObjectURL(blob); }).catch(error => box.replaceChildren(notice("bad", error.message)));
  return box;
}

function verified(report) {
  return table(`Pairs: ${number(report.samePairs)} of one person, ${number(report.differentPairs)} of two`, ["Measure", "Value", "95 % interval", "Threshold"], [
    ["Accuracy over the folds", percent(report.accuracy), `± ${percent(report.accuracyStandardError)} (standard error)`, number(report.threshold)],
    ["Area under the ROC", number(report.auc), `${number(report.aucLow)} to ${number(report.aucHigh)}`, ""],
    ["Equal error rate", percent(report.eer), `${percent(report.eerLow)} to ${percent(report.eerHigh)}`, number(report.eerThreshold)],
    ...Object.entries(report.tarAtFar ?? {}).map(([rate, at]) => [`TAR at FAR ${rate}`, at.tar === null ? "not known" : percent(at.tar), at.tar === null ? at.why : `${percent(at.low)} to ${percent(at.high)}`, at.threshold === null ? "" : number(at.threshold)]),
  ]);
}

function identified(report) {
  return table(`${number(report.galleryPeople)} people enrolled, ${number(report.mated)} probes of them, ${number(report.nonMated)} of strangers`, ["Measure", "Value", "95 % interval", "Threshold"], [
    ["Hit rate, rank 1", percent(report.rank1), "", ""],
    ["Hit rate, rank 5", percent(report.rank5), "", ""],
    ["Hit rate, rank 10", percent(report.rank10), "", ""],
    ...Object.entries(report.dirAtFpir ?? {}).map(([rate, at]) => [`DIR at FPIR ${rate}`, at.dir === null ? "not known" : percent(at.dir), at.dir === null ? at.why : `${percent(at.low)} to ${percent(at.high)}`, at.threshold === null ? "" : number(at.threshold)]),
  ]);
}

function table(caption, head, rows) {
  return el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": caption }, el("table", { class: "stacked" }, el("caption", {}, caption),
    el("thead", {}, el("tr", {}, head.map(name => el("th", { scope: "col" }, name)))),
    el("tbody", {}, rows.map(([name, ...cells]) => el("tr", {}, el("th", { scope: "row" }, name), cells.map(cell => el("td", {}, cell)))))));
}
