// The map of a run's embeddings: each image is drawn as the number of its person.
import { api } from "../api.js";
import { byId, el, moment, notice, svg } from "../dom.js";

const size = 600;
const edge = 20;
const methods = {
  pca: map => `PCA: the two components hold ${(map.share * 100).toFixed(0)} % of the variance; distances in all others are lost.`,
  tsne: map => `t-SNE (perplexity ${map.perplexity.toFixed(0)}): neighbors are kept; distances between groups mean little.`,
};

/** Wires the map. Returns show(run), which clears the map of another run. */
export function startMap() {
  let run = null;
  let request = null;
  let drawn = false;
  byId("map").addEventListener("click", draw);
  byId("map-method").addEventListener("change", () => {
    if (drawn || request) {
      draw();
    }
  });

  async function draw() {
    request?.abort();
    const own = new AbortController();
    request = own;
    byId("map-problem").replaceChildren(notice("", "Embedding faces; this takes a few seconds …"));
    try {
      const map = await api(`/v1/runs/${encodeURIComponent(run)}/map?method=${byId("map-method").value}`, { signal: own.signal });
      if (own === request) {
        byId("map-problem").replaceChildren();
        byId("map-figure").replaceChildren(figure(map));
        drawn = true;
      }
    } catch (error) {
      if (error.name !== "AbortError") {
        byId("map-problem").replaceChildren(notice("bad", error.message));
      }
    } finally {
      if (own === request) {
        request = null;
      }
    }
  }

  return {
    show(name) {
      if (name !== run) {
        request?.abort();
        request = null;
        drawn = false;
        run = name;
        byId("map-problem").replaceChildren();
        byId("map-figure").replaceChildren();
      }
    },
  };
}

function figure(map) {
  // One scale for both axes, so that distances are comparable.
  const [xs, ys] = [map.points.map(p => p.x), map.points.map(p => p.y)];
  const [left, right, bottom, top] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const unit = (size - 2 * edge) / (Math.max(right - left, top - bottom) || 1);
  const height = Math.round((top - bottom) * unit) + 2 * edge;
  return el("figure", { class: "map" },
    svg("svg", { viewBox: `0 0 ${size} ${height}`, role: "img", "aria-label": `Map of ${map.points.length} images of ${map.people} people` },
      ...map.points.map(p => svg("text", {
        class: `class-${p.person % 10}`,
        x: (size - (right - left) * unit) / 2 + (p.x - left) * unit,
        y: height - edge - (p.y - bottom) * unit + 4,
      }, String(p.person + 1)))),
    el("figcaption", {}, `${map.points.length} images of ${map.people} people ` +
      `${map.unseen ? "that the run did not train on" : "of the training set, because this run held nobody out; images of people it has not seen " +
        "cluster less tightly"}. ` +
      `${methods[map.method](map)} ` +
      `Trustworthiness ${map.trustworthiness.toFixed(2)} (1: neighbors on the map are neighbors among the embeddings; about 0.5: by chance). ` +
      `Checkpoint of ${moment(map.checkpoint)}.`));
}
