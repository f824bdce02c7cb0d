import "./shell.js";
import { api } from "./api.js";
import { byId, el, notice } from "./dom.js";

try {
  const ready = await api("/health/ready");
  byId("state").append(ready.model
    ? notice("good", "Ready. Model: ", el("code", {}, ready.model))
    : notice("warn", "Ready, but without a model: faces cannot be compared. Install one with “uniface models pull”, or give one with --package."));
} catch (error) {
  byId("state").append(notice("bad", `Not ready: ${error.message}`));
}
