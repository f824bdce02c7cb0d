import "./shell.js";
import { api } from "./api.js";
import { byId, el, notice } from "./dom.js";

const link = path => el("a", { href: path }, path);
byId("api").append(el("h2", { id: "programs" }, "For programs"), el("p", {},
  "The pages use the service's API under ", el("code", {}, "/v1"), ". Browse and try it at ", link("/scalar"), "; its description is ",
  link("/openapi/v1.json"), ". Health checks: ", link("/health/live"), " and ", link("/health/ready"), ". Prometheus metrics: ", link("/metrics"), "."));

try {
  const ready = await api("/health/ready");
  byId("state").append(ready.model
    ? notice("good", "Ready. Model: ", el("code", {}, ready.model))
    : notice("warn", "Ready, but no model is loaded, so faces cannot be compared. Install one with “uniface models pull”, or pass one with --package."));
} catch (error) {
  byId("state").append(notice("bad", `Not ready: ${error.message}`));
}
