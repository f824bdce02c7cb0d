import "./shell.js";
import { api } from "./api.js";
import { byId, el, notice } from "./dom.js";

const link = path => el("a", { href: path }, path);
byId("api").append(el("h2", { id: "programs" }, "For programs"), el("p", {},
  "The pages use the service's API under ", el("code", {}, "/v1"), ". Browse and try it at ", link("/scalar"), "; its description is ",
  link("/openapi/v1.json"), ". Health checks: ", link("/health/live"), " and ", link("/health/ready"), ". Prometheus metrics: ", link("/metrics"), "."));

const day = time => new Date(time).toLocaleDateString("en-GB", { dateStyle: "medium" });
const count = (n, one, many) => `${n.toLocaleString("en")} ${n === 1 ? one : many}`;

/** The model in use: its name, date and calibration, and how many people are enrolled. */
async function describe() {
  try {
    const gallery = await api("/v1/gallery");
    return [
      "Model ", el("strong", {}, gallery.model), ` of ${day(gallery.modelDate)}; `,
      gallery.calibratedOn
        ? `thresholds calibrated on “${gallery.calibratedOn}”` +
          `${gallery.calibrationPeople ? ` (${count(gallery.calibrationPeople, "person", "people")})` : ""}; `
        : "not calibrated, so every decision needs a threshold; ",
      `${count(gallery.people, "person", "people")} enrolled.`,
    ];
  } catch (error) {
    return [error.status === 401 ? "A model is loaded." : error.message];
  }
}

try {
  const ready = await api("/health/ready");
  byId("state").append(ready.model
    ? notice("good", "Ready. ", ...await describe())
    : notice("warn", "Ready, but no model is loaded, so faces cannot be compared. Install one with “uniface models pull”, or start the service " +
      "with a model package."));
} catch (error) {
  byId("state").append(notice("bad", `Not ready: ${error.message}`));
}
