// Live training of ten classes: draws the frames that the service sends.
import { events } from "../api.js";
import { chart } from "../chart.js";
import { byId, degrees, el, notice, number, short } from "../dom.js";
import { world } from "./world.js";

// Margins for two or three dimensions, in which ten classes cannot be as far apart as in hundreds.
const fitted = { uce: "uce(margin=0.1,scale=16,bias=12)", bce: "bce(margin=0.1,scale=16,bias=12)" };

/** Wires the live part of the page. current() returns the loss set by the sliders. */
export async function startLive(losses, current) {
  const selects = ["left", "right"].map((id, side) => {
    const select = byId(id);
    const option = loss => {
      const selected = loss.name === ["softmax", "uce"][side];
      return el("option", { value: fitted[loss.name] ?? loss.name, selected }, fitted[loss.name] ? `${loss.name}, m 0.1, s 16, b 12` : loss.name);
    };
    select.append(...losses.map(option), el("option", { value: "" }, "current settings above"));
    return select;
  });
  const worlds = [world(), world()];
  byId("worlds").append(...worlds.map(view => view.figure));
  const intra = chart("Angle within a class", "Mean angle between a sample and the mean of its class: smaller is tighter.");
  const inter = chart("Angle between classes", "Mean angle between a class and the nearest other: larger is further apart.");
  byId("live-charts").append(intra.figure, inter.figure);
  let running = null;

  byId("run").addEventListener("click", run);
  byId("run").disabled = false;
  byId("stop").addEventListener("click", () => running?.abort());
  window.addEventListener("pagehide", () => running?.abort());

  async function run() {
    running?.abort();
    const own = new AbortController();
    running = own;
    byId("live-problem").replaceChildren();
    byId("stop").disabled = false;
    const dimensions = byId("dimensions").value;
    byId("turn").hidden = dimensions !== "3";
    const specs = selects.map(select => select.value || current());
    const names = selects.map((select, side) => (select.value ? select.selectedOptions[0].textContent : short(specs[side])));
    const tracks = specs.map(() => []);
    let last = { step: 0, steps: null };
    const query = new URLSearchParams([...specs.map(spec => ["loss", spec]), ["dimensions", dimensions]]);
    try {
      let first = true;
      await events(`/v1/losses/lab?${query}`, own.signal, frame => {
        if (first) {
          byId("worlds").hidden = byId("live-charts").hidden = first = false;
        }

        last = frame;
        byId("progress").value = frame.step / frame.steps;
        frame.worlds.forEach((state, side) => {
          tracks[side].push({ x: frame.step, intra: state.intraAngle * 180 / Math.PI, inter: state.interAngle * 180 / Math.PI });
          worlds[side].draw(state, frame.labels);
          worlds[side].describe(names[side], [
            ["step", `${frame.step} of ${frame.steps}`],
            ["loss", number(state.lossValue)],
            ["nearest class correct", `${(state.accuracy * 100).toFixed(1)} %`],
            ["angle within a class", degrees(state.intraAngle, 1)],
            ["angle between classes", degrees(state.interAngle, 1)],
          ]);
        });
        const x = { label: "step", min: 0, max: frame.steps };
        const series = key => tracks.map((track, side) => ({ series: side, label: names[side], points: track.map(t => ({ x: t.x, y: t[key] })) }));
        intra.draw({ series: series("intra"), x, y: { min: 0, format: v => `${number(v)}°` } });
        inter.draw({ series: series("inter"), x, y: { min: 0, format: v => `${number(v)}°` } });
      });
      if (last.step !== last.steps) {
        byId("live-problem").replaceChildren(notice("warn",
          `The service ended the session at step ${last.step}, because this visitor started a newer one. “Train both” starts again.`));
      }
    } catch (error) {
      if (error.name !== "AbortError") {
        byId("live-problem").replaceChildren(notice("bad",
          last.step > 0 ? `At step ${last.step}: ${error.message}. “Train both” starts again.` : error.message));
      } else if (running === own) {
        byId("live-problem").replaceChildren(notice("", last.steps ? `Stopped at step ${last.step} of ${last.steps}.` : "Stopped before the first step."));
      }
    } finally {
      if (running === own) {
        byId("stop").disabled = true;
      }
    }
  }
}
