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
const most = 6; // curves that remain distinguishable

const charts = {
  "target-logit": chart("Target logit", "Logit of the sample's own class, after the margin."),
  gradient: chart("Gradient by angle", "Pull towards the class center. At 0 the gradient has vanished; below 0 the sample is pushed away."),
  probability: chart("Probability of the correct class", "Softmax over C classes; relative to the threshold for the unified losses."),
  loss: chart("Loss of the sample", "Including the terms of the other classes, which stay fixed."),
};
byId("charts").append(...Object.values(charts).map(one => one.figure));

let pinned = []; // {query, data}
let current = null;
let asked = null;
let applied = 0; // counts presets and changes, so that a late response is ignored
let timer = 0;

const form = controls(losses, changed);
const buttons = presets.map(preset => el("button", { type: "button", "aria-pressed": "false", onclick: () => apply(preset) }, preset.name));
byId("presets").append(...buttons);
byId("log").addEventListener("change", draw);

byId("pin").addEventListener("click", () => {
  if (current && pinned.length < most - 1) {
    pinned.push(current);
    draw();
  }
});

await apply(presets[0]);
await startLive(losses, () => current?.data.spec ?? "uce", byName);

/** Shows a preset: its curves and their explanation. */
async function apply(preset) {
  const turn = ++applied;
  const kept = [];
  for (const values of preset.kept) {
    kept.push(await fetchCurves(values));
  }

  if (turn !== applied) {
    return; // another preset was chosen meanwhile
  }

  pinned = kept;
  byId("log").checked = Boolean(preset.log);
  press(preset);
  form.set(preset.shown);
  await refresh();
  if (turn === applied) {
    byId("seen").replaceChildren(notice("", el("strong", {}, `${preset.name}: `), preset.seen(current.data, kept.map(p => p.data))));
  }
}

function press(preset) {
  buttons.forEach((button, i) => button.setAttribute("aria-pressed", String(presets[i] === preset)));
}

function changed() {
  applied++;
  press(null);
  byId("seen").replaceChildren();
  clearTimeout(timer);
  timer = setTimeout(refresh, 60);
}

async function fetchCurves(values, signal) {
  const query = new URLSearchParams(values).toString();
  return { query, data: await api(`/v1/losses/curves?${query}`, { signal }) };
}

async function refresh() {
  asked?.abort();
  asked = new AbortController();
  const mine = asked;
  try {
    const answer = await fetchCurves(form.values(), mine.signal);
    if (mine !== asked) {
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
  const words = Object.entries(data.hyperparameters).filter(([name, value]) =>
    ["margin", "m1", "m2", "m3", "scale"].includes(name) || String(value) !== defaults.get(name)).map(([name, value]) => `${name} ${value}`);
  return [data.loss, ...words, data.options.bits === 64 ? null : `${data.options.bits} bits`].filter(Boolean).join(", ");
}

function draw() {
  const shown = [current, ...pinned];
  const curves = name => shown.map((one, series) => ({ series, label: label(one.data), points: one.data.curves.find(c => c.name === name).points }));
  const marks = shown.filter(one => one.data.threshold !== null).slice(0, 1)
    .map(one => ({ x: one.data.threshold, label: `threshold ${number(one.data.threshold)}` }));
  const angle = { label: "angle to the class center", min: 0, max: Math.PI, ticks: [0, 1, 2, 3, 4, 5, 6].map(i => i * Math.PI / 6), format: degrees };
  charts["target-logit"].draw({ series: curves("target-logit"), x: angle });
  const log = byId("log").checked;
  charts.gradient.draw({
    series: log ? curves("gradient").map(one => ({ ...one, points: one.points.map(p => ({ x: p.x, y: Math.abs(p.y) || null })) })) : curves("gradient"),
    x: angle,
    y: log ? { log: true, min: 1e-9, max: 100, ticks: [1e-9, 1e-6, 1e-3, 1, 100], format: v => v.toExponential(0).replace("e+", "e") } : {},
  });
  charts.loss.draw({ series: curves("loss"), x: angle });
  charts.probability.draw({ series: curves("probability"), x: { label: "cosine with the class center", min: -1, max: 1 }, y: { min: 0, max: 1 }, marks });
  byId("circles").replaceChildren(...shown.map((one, series) => circle(one.data.boundary, label(one.data), swatch(series))));
  byId("pins").replaceChildren(...shown.map((one, series) => el("li", {},
    swatch(series),
    el("span", {}, series === 0 ? `${label(one.data)} (shown)` : label(one.data)),
    series === 0 ? null : el("button", { type: "button", "aria-label": `Remove ${label(one.data)}`, onclick: () => {
      pinned = pinned.filter(p => p !== one);
      draw();
      byId("pin").focus();
    } }, "✕"))));
  byId("pin").disabled = pinned.length >= most - 1;
}
