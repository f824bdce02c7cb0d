import "./shell.js";
import { api } from "./api.js";
import { chart, swatch } from "./chart.js";
import { byId, degrees, el, notice, number } from "./dom.js";
import { circle } from "./lab/circle.js";
import { controls } from "./lab/controls.js";
import { startLive } from "./lab/live.js";
import { presets } from "./lab/presets.js";

const losses = (await api("/v1/losses")).losses;
const byName = new Map(losses.map(loss => [loss.name, loss]));
const maxCurves = 6; // more are hard to tell apart

const charts = {
  "target-logit": chart("Target logit", "Logit of the sample's own class, after the margin."),
  gradient: chart("Gradient by angle", "Pull towards the class center. At 0 the gradient has vanished; below 0 the sample is pushed away."),
  probability: chart("Probability of the correct class", "Softmax over C classes; relative to the threshold for the unified losses."),
  loss: chart("Loss of the sample", "Including the terms of the other classes, which stay fixed."),
};
byId("charts").append(...Object.values(charts).map(view => view.figure));

let pinned = []; // {query, data} of each kept curve
let current = null;
let request = null; // the AbortController of the newest one
let changes = 0; // number of presets and sliders used; a response to an earlier one is ignored
let timer = 0;

const form = controls(losses, changed);
const buttons = presets.map(preset => el("button", { type: "button", "aria-pressed": "false", onclick: () => apply(preset) }, preset.name));
byId("presets").append(...buttons);
byId("log").addEventListener("change", draw);

byId("pin").addEventListener("click", () => {
  if (current && pinned.length < maxCurves - 1) {
    pinned.push(current);
    draw();
  }
});

await apply(presets[0]);
await startLive(losses, () => current?.data.spec ?? "uce");

/** Shows a preset: its curves and their explanation. */
async function apply(preset) {
  const change = ++changes;
  const kept = [];
  for (const values of preset.kept) {
    kept.push(await fetchCurves(values));
  }

  if (change !== changes) {
    return; // another preset was chosen meanwhile
  }

  pinned = kept;
  byId("log").checked = Boolean(preset.log);
  press(preset);
  form.set(preset.shown);
  await refresh();
  if (change === changes) {
    byId("explanation").replaceChildren(notice("", el("strong", {}, `${preset.name}: `), preset.explain(current.data, kept.map(p => p.data))));
  }
}

function press(preset) {
  buttons.forEach((button, i) => button.setAttribute("aria-pressed", String(presets[i] === preset)));
}

function changed() {
  changes++;
  press(null);
  byId("explanation").replaceChildren();
  clearTimeout(timer);
  timer = setTimeout(refresh, 60);
}

async function fetchCurves(values, signal) {
  const query = new URLSearchParams(values).toString();
  return { query, data: await api(`/v1/losses/curves?${query}`, { signal }) };
}

async function refresh() {
  request?.abort();
  request = new AbortController();
  const own = request;
  try {
    const answer = await fetchCurves(form.values(), own.signal);
    if (own !== request) {
      return;
    }

    current = answer;
    byId("problem").replaceChildren();
    draw();
  } catch (error) {
    if (error.name !== "AbortError") {
      byId("problem").replaceChildren(notice("bad", error.message));
    }
  }
}

/** The loss with its margin, scale and other values that differ from the defaults. */
function label(data) {
  const defaults = new Map(byName.get(data.loss).hyperparameters.map(h => [h.name, h.default]));
  const parts = Object.entries(data.hyperparameters).filter(([name, value]) =>
    ["margin", "m1", "m2", "m3", "scale"].includes(name) || String(value) !== defaults.get(name)).map(([name, value]) => `${name} ${value}`);
  return [data.loss, ...parts, data.options.bits === 64 ? null : `${data.options.bits} bits`].filter(Boolean).join(", ");
}

function draw() {
  const shown = [current, ...pinned];
  const curves = name => shown.map((entry, series) => ({ series, label: label(entry.data), points: entry.data.curves.find(c => c.name === name).points }));
  const marks = shown.filter(entry => entry.data.threshold !== null).slice(0, 1)
    .map(entry => ({ x: entry.data.threshold, label: `threshold ${number(entry.data.threshold)}` }));
  const angle = { label: "angle to the class center", min: 0, max: Math.PI, ticks: [0, 1, 2, 3, 4, 5, 6].map(i => i * Math.PI / 6), format: degrees };
  charts["target-logit"].draw({ series: curves("target-logit"), x: angle });
  const log = byId("log").checked;
  charts.gradient.draw({
    series: log ? curves("gradient").map(entry => ({ ...entry, points: entry.points.map(p => ({ x: p.x, y: Math.abs(p.y) || null })) })) : curves("gradient"),
    x: angle,
    y: log ? { log: true, min: 1e-9, max: 100, ticks: [1e-9, 1e-6, 1e-3, 1, 100], format: v => v.toExponential(0).replace("e+", "e") } : {},
  });
  charts.loss.draw({ series: curves("loss"), x: angle });
  charts.probability.draw({ series: curves("probability"), x: { label: "cosine with the class center", min: -1, max: 1 }, y: { min: 0, max: 1 }, marks });
  byId("circles").replaceChildren(...shown.map((entry, series) => circle(entry.data.boundary, label(entry.data), swatch(series))));
  byId("pins").replaceChildren(...shown.map((entry, series) => el("li", {},
    swatch(series),
    el("span", {}, series === 0 ? `${label(entry.data)} (shown)` : label(entry.data)),
    series === 0 ? null : el("button", { type: "button", "aria-label": `Remove ${label(entry.data)}`, onclick: () => {
      pinned = pinned.filter(p => p !== entry);
      draw();
      byId("pin").focus();
    } }, "✕"))));
  byId("pin").disabled = pinned.length >= maxCurves - 1;
}
