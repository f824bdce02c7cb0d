// The form of a loss: a slider for each hyperparameter and each setting of the curves.
import { byId, el } from "../dom.js";

// Useful slider ranges; the number field accepts everything that the loss allows.
const sliderRanges = {
  margin: [0, 1.2], m1: [0.5, 3], m2: [0, 1.2], m3: [0, 1], scale: [1, 128], lambda: [0, 2], bias: [-10, 40], "negative-rate": [0.05, 1],
  "t-momentum": [0, 1], la: [1, 50], ua: [20, 200], "lambda-g": [0, 100], "lambda-start": [0, 2000], sigma: [0, 0.3], "loss-weight": [0, 100],
};
const sphereFaceRanges = { margin: [1, 6] };
const settings = [
  { name: "classes", label: "Number of classes, C", kind: "log", min: 2, max: 100_000, initial: 10_000 },
  { name: "other-cosine", label: "Cosine with the other classes", min: -0.5, max: 0.9, step: 0.01, initial: 0 },
  { name: "length", label: "Length of the embedding", min: 1, max: 120, step: 1, initial: 30, only: ["softmax", "sphereface", "magface", "adaface"] },
  { name: "centers-apart", label: "Angle between the two centers", min: 10, max: 180, step: 1, initial: 90, unit: "°" },
  { name: "bits", label: "Floating-point bits", choices: ["64", "32", "16"], initial: "64" },
];

/** Builds the form; calls changed() after each change. Returns values() and set(). */
export function controls(losses, changed) {
  const select = byId("loss");
  select.append(...losses.map(loss => el("option", { value: loss.name }, loss.name)));
  let chosen = new Map();
  const settingValues = new Map(settings.map(setting => [setting.name, setting.initial]));
  select.addEventListener("change", () => {
    chosen = new Map();
    build();
    changed();
  });
  byId("controls").addEventListener("submit", event => event.preventDefault());

  function build() {
    const loss = losses.find(loss => loss.name === select.value);
    byId("about").textContent = `${loss.description} ${loss.paper}.`;
    const type = chosen.get("margin-type") ?? loss.hyperparameters.find(h => h.name === "margin-type")?.default;
    const fields = loss.hyperparameters.filter(h => h.marginTypes.length === 0 || h.marginTypes.includes(type));
    byId("hyperparameters").replaceChildren(...fields.map(h => field(loss, h)));
    byId("settings").replaceChildren(...settings.filter(setting => !setting.only || setting.only.includes(loss.name)).map(settingField));
  }

  function setHyperparameter(name, value) {
    chosen.set(name, value);
    changed();
  }

  function field(loss, h) {
    const value = chosen.get(h.name) ?? h.default;
    const id = `hyperparameter-${h.name}`;
    if (h.kind === "choice" || h.kind === "flag") {
      const options = h.kind === "flag" ? ["false", "true"] : h.choices;
      const input = el("select", { id, onchange: () => {
        if (h.name === "margin-type") {
          const kept = new Map([...chosen].filter(([name]) => ["scale", "lambda", "bias", "negative-rate", "clamp"].includes(name)));
          chosen = kept.set(h.name, input.value);
          build();
          byId(id).focus();
          changed();
        } else {
          setHyperparameter(h.name, input.value);
        }
      } }, options.map(option => el("option", { value: option, selected: option === value }, option)));
      return el("div", { class: "field" }, el("label", { for: id }, h.name), input, el("small", {}, h.meaning));
    }

    const own = loss.name.startsWith("sphereface") && loss.name !== "sphereface2" ? sphereFaceRanges[h.name] : null;
    const [min, max] = own ?? sliderRanges[h.name] ?? [h.minimum, Math.min(h.maximum, 4 * Math.max(Number(h.default), 1))];
    const auto = h.kind === "number-or-auto";
    const step = h.kind === "whole" || max - min > 60 ? 1 : 0.01;
    const shown = value === "auto" ? "" : value;
    const range = el("input", { type: "range", id, min, max, step, value: value === "auto" ? (min + max) / 2 : value, oninput: () => {
      exact.value = range.value;
      setAuto(false);
      setHyperparameter(h.name, range.value);
    } });
    const placeholder = auto ? "auto" : null;
    const exact = el("input", { type: "number", step: "any", value: shown, placeholder, "aria-label": `${h.name}, exactly`, oninput: () => {
      if (exact.value !== "") {
        range.value = exact.value;
        setAuto(false);
        setHyperparameter(h.name, exact.value);
      }
    } });
    const box = auto ? el("input", { type: "checkbox", checked: value === "auto", onchange: () => {
      exact.value = box.checked ? "" : range.value;
      setHyperparameter(h.name, box.checked ? "auto" : range.value);
    } }) : null;
    const setAuto = on => {
      if (box) {
        box.checked = on;
      }
    };
    return el("div", { class: "field" }, el("label", { for: id }, h.name), el("div", { class: "pair" }, range, exact),
      box ? el("label", { class: "muted" }, box, " auto: from the number of classes") : null, el("small", {}, h.meaning));
  }

  function settingField(setting) {
    const id = `setting-${setting.name}`;
    if (setting.choices) {
      const input = el("select", { id, onchange: () => { settingValues.set(setting.name, input.value); changed(); } },
        setting.choices.map(choice => el("option", { value: choice, selected: choice === String(settingValues.get(setting.name)) }, choice)));
      return el("div", { class: "field" }, el("label", { for: id }, setting.label), input);
    }

    const log = setting.kind === "log";
    const to = log ? v => Math.log10(v) : v => v;
    const from = log ? v => Math.round(10 ** v) : v => Number(v);
    const output = el("output", { for: id }, `${settingValues.get(setting.name)}${setting.unit ?? ""}`);
    const [min, max, step] = [to(setting.min), to(setting.max), log ? 0.02 : setting.step];
    const range = el("input", { type: "range", id, min, max, step, value: to(settingValues.get(setting.name)), oninput: () => {
      settingValues.set(setting.name, from(range.value));
      output.textContent = `${from(range.value)}${setting.unit ?? ""}`;
      if (log) {
        range.setAttribute("aria-valuetext", String(from(range.value)));
      }

      changed();
    } });
    return el("div", { class: "field" }, el("label", { for: id }, setting.label, output), range);
  }

  return {
    /** The query of the curves. */
    values() {
      const all = { loss: select.value };
      for (const [name, value] of chosen) {
        all[name] = value;
      }

      for (const setting of settings) {
        const value = settingValues.get(setting.name);
        if (value !== setting.initial || setting.name === "classes") {
          all[setting.name] = setting.unit === "°" ? value * Math.PI / 180 : value;
        }
      }

      return all;
    },

    /** Sets the form to given values, and the rest to defaults. */
    set(values) {
      select.value = values.loss;
      const own = Object.entries(values).filter(([name]) => name !== "loss" && !settings.some(setting => setting.name === name));
      chosen = new Map(own.map(([name, value]) => [name, String(value)]));
      for (const setting of settings) {
        settingValues.set(setting.name, values[setting.name] ?? setting.initial);
      }

      build();
    },
  };
}
