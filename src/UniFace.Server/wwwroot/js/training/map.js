// The map of a run's embeddings: pictures as the numbers of their people.
import { api } from "../api.js";
import { byId, el, notice, svg } from "../dom.js";

const size = 600;
const edge = 20;
const ways = {
  pca: map => `Seen along the two directions in which they differ most, which hold ${(map.share * 100).toFixed(0)} % of the spread: distances are true as far as two directions show them.`,
  tsne: map => `By t-SNE (perplexity ${map.perplexity.toFixed(0)}): who lies beside whom is kept, how far groups lie apart says little.`,
};

/** Wires the map's part of the page. Gives show(run), which forgets the map of another run. */
export function startMap() {
  let run = null;
  let asking = null;
  let drawn = false;
  byId("map").addEventListener("click", draw);
  byId("map-method").addEventListener("change", () => {
    if (drawn || asking) {
      draw();
    }
  });

  async function draw() {
    asking?.abort();
    const mine = new AbortController();
    asking = mine;
    byId("map-problem").replaceChildren(notice("", "Embedding faces; this takes some seconds …"));
    try {
      const map = await api(`/v1/runs/${encodeURIComponent(run)}/map?method=${byId("map-method").value}`, { signal: mine.signal });
      if (mine === asking) {
        byId("map-problem").replaceChildren();
        byId("map-figure").replaceChildren(figure(map));
        drawn = true;
      }
    } catch (error) {
      if (error.name !== "AbortError") {
        byId("map-problem").replaceChildren(notice("bad", error.message));
      }
    } finally {
      if (mine === asking) {
        asking = null;
      }
    }
  }

  return {
    show(name) {
      if (name !== run) {
        asking?.abort();
        asking = null;
        drawn = false;
        run = name;
        byId("map-problem").replaceChildren();
        byId("map-figure").replaceChildren();
      }
    },
  };
}

function figure(map) {
  // One unit for both directions: a distance is the same whichever way it goes.
  const [xs, ys] = [map.points.map(p => p.x), map.points.map(p => p.y)];
  const [left, right, bottom, top] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const unit = (size - 2 * edge) / (Math.max(right - left, top - bottom) || 1);
  const height = Math.round((top - bottom) * unit) + 2 * edge;
  return el("figure", { class: "map" },
    svg("svg", { viewBox: `0 0 ${size} ${height}`, role: "img", "aria-label": `Map of ${map.points.length} pictures of ${map.people} people` },
      ...map.points.map(p => svg("text", { class: `class-${p.person % 10}`, x: edge + (p.x - left) * unit + (size - 2 * edge - (right - left) * unit) / 2, y: height - edge - (p.y - bottom) * unit + 4 }, String(p.person + 1)))),
    el("figcaption", {}, `${map.points.length} pictures of ${map.people} ${map.unseen ? "people that the run did not train on" : "people of the training set: this run held nobody out"}. ${ways[map.method](map)} Trustworthiness ${map.trustworthiness.toFixed(2)} (1: neighbours on the map are neighbours among the embeddings; about 0.5: by chance). Checkpoint of ${new Date(map.checkpoint).toLocaleString("en-GB")}.`));
}
