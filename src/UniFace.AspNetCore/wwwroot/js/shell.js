// Header of every page, unexpected errors, and the form for the API key.
import { el, notice } from "./dom.js";
import { pages } from "./pages.js";

const here = location.pathname === "/index.html" ? "/" : location.pathname;
document.body.prepend(el("header", { class: "top" },
  el("a", { class: "skip", href: "#main" }, "Skip to main content"),
  el("a", { class: "brand", href: "/" }, "UniFace"),
  el("nav", { "aria-label": "Pages" }, pages.map(([href, name]) =>
    el("a", { href, "aria-current": href === here ? "page" : null }, name)))));

window.addEventListener("unhandledrejection", event => report(event, event.reason));
window.addEventListener("error", event => event.error && report(event, event.error));

function report(event, error) {
  if (error?.status === 401) {
    event.preventDefault(); // the key form handles it
  } else if (error?.name !== "AbortError") {
    document.querySelector("main").prepend(notice("bad", error?.message ?? String(error)));
  }
}

// From other machines the service requires a key. It is kept until the window is closed.
window.addEventListener("needs-key", event => {
  if (document.getElementById("key-form")) {
    return;
  }

  const input = el("input", { type: "password", id: "key", autocomplete: "off", required: true });
  document.querySelector("main").prepend(el("form", { class: "card", id: "key-form", onsubmit: event => {
    event.preventDefault();
    sessionStorage.setItem("uniface-key", input.value.trim());
    location.reload();
  } }, event.detail ? notice("bad", event.detail) : null, el("div", { class: "field" }, el("label", { for: "key" }, "API key"), input,
    el("small", {}, "This service requires an API key; “uniface serve keys create” makes one.")), el("button", { class: "main" }, "Use this key")));
});
