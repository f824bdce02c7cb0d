import "./shell.js";
import { api } from "./api.js";
import { chart, swatch } from "./chart.js";
import { byId, el, moment, notice, number, short } from "./dom.js";
import { startMap } from "./training/map.js";

const states = {
  running: ["training here", "good"],
  "running-elsewhere": ["training elsewhere", "good"],
  stopped: ["stopped", "warn"],
  failed: ["failed", "bad"],
  finished: ["finished", ""],
  damaged: ["damaged", "bad"],
};
const maxRuns = 6;
const columns = ["", "Run", "State", "Loss", "Backbone", "People", "Epoch", "Loss now", "TAR at 1 in 100"];
const bins = 80;

const charts = [
  ["loss", "Loss", "Mean since the previous point."],
  ["lr", "Learning rate", "Rises during warm-up, then follows the schedule."],
  ["imagesPerSecond", "Images per second", "Training speed."],
  ["targetCosine", "Target cosine", "Cosine with the image's own class center; rises as training succeeds."],
  ["hardestNegativeCosine", "Hardest negative cosine", "Cosine with the most similar other class center; should stay below the target cosine."],
  ["threshold", "Learned threshold", "b / s: the unified losses compare every cosine with it."],
  ["gradNorm", "Gradient norm", "Before clipping. A steady rise means that training diverges."],
].map(([key, title, hint]) => ({ key, view: chart(title, hint) }));
const accuracy = chart("Validation", "True accept rate at a false accept rate of 1 in 100, on held-out people.");
byId("charts").append(...charts.map(entry => entry.view.figure), accuracy.figure);
const histogram = chart("Images by cosine", "Own class and most similar other class.");
byId("histogram").append(histogram.figure);

let runs = [];
let chosen = []; // names; the details are of the first
let details = new Map();
let follow = true; // the histogram follows the newest epoch
let refreshing = Promise.resolve();
let drawn = ""; // the answers drawn, so that unchanged ones are not drawn again

byId("epoch").addEventListener("input", () => {
  follow = Number(byId("epoch").value) === Number(byId("epoch").max);
  drawHistogram();
});
byId("resume").addEventListener("click", () => post("resume"));
byId("stop").addEventListener("click", () => post("stop"));
const map = startMap();

await refresh();
setInterval(() => {
  if (!document.hidden) {
    refresh();
  }
}, 3000);

/** One at a time: two requests with the same cursor would both add the rows. */
function refresh() {
  refreshing = refreshing.then(refreshOnce);
  return refreshing;
}

async function refreshOnce() {
  try {
    const answer = await api("/v1/runs");
    runs = answer.runs;
    byId("where").replaceChildren("Runs of ", el("code", {}, "uniface train"), ` in ${answer.folder}.`);
    byId("problem").replaceChildren();
    if (runs.length === 0) {
      const command = el("code", {}, `uniface train FACES --out ${answer.folder}/first`);
      byId("problem").replaceChildren(notice("", "There are no runs in this folder yet. Start one with ", command, ", or serve another folder."));
    }

    chosen = chosen.filter(name => runs.some(run => run.name === name));
    if (chosen.length === 0 && runs.length > 0) {
      const readable = runs.filter(run => run.state !== "damaged");
      chosen = readable.length ? [readable.reduce((a, b) => (a.updated > b.updated ? a : b)).name] : [];
    }

    const requested = new Set();
    for (let name; (name = chosen.find(name => !requested.has(name))) !== undefined;) { // more may be chosen meanwhile
      requested.add(name);
      const known = details.get(name);
      const run = runs.find(candidate => candidate.name === name);
      if (!run) {
        continue;
      }

      if (!known || known.summary.updated !== run.updated || known.summary.state !== run.state || run.state === "running") {
        const answer = await api(`/v1/runs/${encodeURIComponent(name)}${known ? `?after=${known.cursor}` : ""}`);
        details.set(name, answer.whole || !known ? answer : { ...answer, metrics: [...known.metrics, ...answer.metrics] });
      }
    }

    const now = JSON.stringify([runs, chosen, chosen.map(name => details.get(name).cursor)]);
    if (now !== drawn) {
      drawn = now;
      draw();
    }
  } catch (error) {
    byId("problem").replaceChildren(notice("bad", error.message));
  }
}

async function post(action) {
  byId("message").replaceChildren(notice("", action === "stop" ? "Saving …" : "Reading the data …"));
  try {
    await api(`/v1/runs/${encodeURIComponent(chosen[0])}/${action}`, { method: "POST" });
    drawn = "";
    await refresh();
  } catch (error) {
    byId("message").replaceChildren(notice("bad", error.message));
  }
}

function draw() {
  const focused = document.activeElement?.id;
  byId("runs").replaceChildren(
    el("caption", {}, "Choose up to six to compare. Histogram, map and events are those of the first selected run."),
    el("thead", {}, el("tr", {}, columns.map((name, i) =>
      el("th", { scope: "col", class: [5, 7, 8].includes(i) ? "number" : null }, name || el("span", { class: "hidden-words" }, "Shown"))))),
    el("tbody", {}, runs.map(row)));
  if (focused) {
    document.getElementById(focused)?.focus();
  }

  byId("legend").hidden = runs.length === 0;
  byId("detail").hidden = chosen.length === 0;
  if (chosen.length > 0) {
    drawDetail();
  }
}

function row(run, i) {
  const [state, kind] = states[run.state] ?? [run.state, ""];
  const place = chosen.indexOf(run.name);
  const disabled = run.state === "damaged" || (place < 0 && chosen.length >= maxRuns);
  const box = el("input", { type: "checkbox", id: `run-${i}`, checked: place >= 0, disabled, onchange: () => {
    chosen = box.checked ? [...chosen, run.name] : chosen.filter(name => name !== run.name);
    follow = true;
    refresh();
  } });
  const cell = (column, kind, ...content) => el("td", { class: kind, "data-label": columns[column] }, ...content);
  return el("tr", {},
    el("td", {}, box),
    el("td", {}, el("label", { for: `run-${i}` }, place >= 0 ? swatch(place) : null, ` ${run.name}`)),
    el("td", {}, el("span", { class: `badge ${kind}` }, state)),
    cell(3, null, short(run.loss)),
    cell(4, null, (run.backbone ?? "–").replace("(", " (").replaceAll(",", ", ")),
    cell(5, "number", number(run.people)),
    cell(6, null, run.epochs ? `${run.epoch} of ${run.epochs}` : "–"),
    cell(7, "number", number(run.lastLoss)),
    cell(8, "number", run.tarAtFar === null ? "–" : `${(run.tarAtFar * 100).toFixed(1)} %`));
}

function drawDetail() {
  const shown = chosen.map(name => details.get(name));
  const first = shown[0];
  const { summary, notes } = first;
  const code = name => el("code", {}, name);
  byId("run-title").replaceChildren("Curves of ", ...shown.flatMap((run, i) => [i > 0 ? ", " : "", code(run.summary.name)]));
  byId("histogram-title").replaceChildren("Cosine histogram of ", code(summary.name));
  byId("map-title").replaceChildren("Map of the embeddings of ", code(summary.name));
  byId("notes-title").replaceChildren("Events of ", code(summary.name));
  byId("resume").textContent = `Resume ${summary.name}`;
  byId("stop").textContent = `Save and stop ${summary.name}`;
  map.show(summary.name);
  byId("resume").hidden = !["stopped", "failed"].includes(summary.state);
  byId("stop").hidden = summary.state !== "running";
  byId("message").replaceChildren(...summary.message ? [notice(summary.state === "failed" ? "bad" : "warn", summary.message)] : []);
  byId("notes").replaceChildren(...notes.length
    ? notes.map(({ time, kind, message }) => el("li", {},
      el("strong", {}, `${moment(time)}, ${kind}`), message.startsWith(kind) ? message.slice(kind.length) : `: ${message}`))
    : [el("li", {}, "This run has no events.")]);
  const x = { label: "step", min: 0 };
  for (const { key, view } of charts) {
    const series = shown.map((run, i) =>
      ({ series: i, label: run.summary.name, points: rows(run, "step").map(r => ({ x: r.step, y: numeric(r[key]) })) }));
    const visible = series.filter(line => line.points.some(point => point.y !== null));
    view.figure.hidden = visible.length === 0;
    view.draw({ series: visible, x });
  }

  const validated = shown.map((run, i) => {
    const points = rows(run, "epoch").filter(r => r.validation).map(r => ({ x: r.epoch, y: r.validation.tarAtFar }));
    return { series: i, label: run.summary.name, points };
  }).filter(line => line.points.length);
  accuracy.figure.hidden = validated.length === 0;
  accuracy.draw({ series: validated, x: { label: "epoch", min: 0 }, y: { min: 0, max: 1, format: v => `${Math.round(v * 100)} %` } });
  const epochs = rows(first, "epoch");
  byId("epoch").max = Math.max(0, epochs.length - 1);
  if (follow) {
    byId("epoch").value = byId("epoch").max;
  }

  drawHistogram();
}

function drawHistogram() {
  const epochs = rows(details.get(chosen[0]), "epoch");
  const epoch = epochs[Number(byId("epoch").value)];
  byId("epoch-now").textContent = !epoch ? "none yet"
    : epoch.epoch === 0 ? "before training"
      : `${epoch.epoch} of ${details.get(chosen[0]).summary.epochs}`;
  histogram.figure.hidden = !epoch;
  if (!epoch) {
    return;
  }

  const shares = counts => {
    const total = counts.reduce((a, b) => a + b, 0) || 1;
    return counts.map((count, i) => ({ x: -1 + i * 2 / bins, y: count / total }));
  };
  histogram.draw({
    series: [
      { series: 0, label: "own class", kind: "bars", width: 2 / bins, points: shares(epoch.targetHistogram) },
      { series: 1, label: "most similar other class", kind: "bars", width: 2 / bins, points: shares(epoch.hardestNegativeHistogram) },
    ],
    x: { label: "cosine with a class center", min: -0.5, max: 1 },
    y: { min: 0, format: v => `${Math.round(v * 100)} %` },
    marks: epoch.threshold === null ? [] : [{ x: epoch.threshold, label: `threshold ${number(epoch.threshold)}` }],
  });
}

function rows(run, kind) {
  return run.metrics.filter(row => row.kind === kind);
}

/** A number, or null: metrics may hold the text "NaN". */
function numeric(value) {
  return typeof value === "number" ? value : null;
}
