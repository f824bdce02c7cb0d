// The top of every page, and the words for what was not foreseen.
import { el, notice } from "./dom.js";

const pages = [
  ["/lab.html", "Margin lab"],
];

const here = location.pathname === "/index.html" ? "/" : location.pathname;
document.body.prepend(el("header", { class: "top" },
  el("a", { class: "skip", href: "#main" }, "Skip to the content"),
  el("a", { class: "brand", href: "/" }, "UniFace"),
  el("nav", { "aria-label": "Pages" }, pages.map(([href, name]) =>
    el("a", { href, "aria-current": href === here ? "page" : null }, name)))));

window.addEventListener("unhandledrejection", event => {
  if (event.reason?.name !== "AbortError") {
    document.querySelector("main").prepend(notice("bad", event.reason?.message ?? String(event.reason)));
  }
});
