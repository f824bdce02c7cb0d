import "./shell.js";
import { api } from "./api.js";
import { byId, el, notice } from "./dom.js";
import { decided, face, oneIn, scale, strangers } from "./recognise/answers.js";
import { photo } from "./recognise/photo.js";

const pageSize = 50;
const [first, second] = [photo("First photo"), photo("Second photo")];
byId("verify-photos").append(first.field, second.field);
const probe = photo("Photo");
byId("identify-photo").append(probe.field);
const enrolled = photo("Photos", true);
byId("enrol-photo").append(enrolled.field);
let offset = 0;

submit("verify", async answer => {
  const form = new FormData();
  form.append("a", one(first, "the first photo"));
  form.append("b", one(second, "the second photo"));
  form.append("crops", "true");
  decideAt(form, "verify");
  const said = await api("/v1/verify", { method: "POST", body: form });
  answer.replaceChildren(
    notice(said.same ? "good" : "bad", el("strong", {}, said.same ? "Same person" : "Not confirmed as the same person"),
      `: ${oneIn(said.falseMatchRateAtScore)}.`),
    scale(said.score, said.threshold, said.same),
    el("p", { class: "muted" }, decided(said)),
    el("div", { class: "faces" }, face(said.a, "First face"), face(said.b, "Second face")));
});

submit("identify", async answer => {
  const form = new FormData();
  form.append("photo", one(probe, "a photo"));
  form.append("crops", "true");
  decideAt(form, "identify");
  const [said, gallery] = await Promise.all([api("/v1/identify", { method: "POST", body: form }), api("/v1/gallery")]);
  const matched = said.decision === "match";
  answer.replaceChildren(
    said.decision === "no-face" ? notice("warn", "No face was found on this photo.")
      : matched ? notice("good", el("strong", {}, said.person), `: ${oneIn(said.candidates[0].falseMatchRate)}.`)
        : notice("warn", el("strong", {}, "Not enrolled"), said.candidates.length
          ? `: the most similar person is ${said.candidates[0].person}, below the threshold.`
          : ": nobody is enrolled yet."),
    ...(said.score === null ? [] : [scale(said.score, said.threshold, matched)]),
    el("p", { class: "muted" }, decided(said), ` ${strangers(said, gallery.people)}`),
    said.face ? el("div", { class: "faces" }, face(said.face, "The face")) : "",
    said.candidates.length ? candidates(said.candidates) : "");
});

function candidates(people) {
  return el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Most similar people" },
    el("table", { class: "matches" }, el("caption", {}, "Most similar people"),
      el("thead", {}, el("tr", {}, ["Person", "Score", "Chance of a stranger scoring this"].map(name => el("th", { scope: "col" }, name)))),
      el("tbody", {}, people.map(c => el("tr", {},
        el("td", {}, c.person),
        el("td", { class: "number" }, c.score.toFixed(3)),
        el("td", {}, chance(c.falseMatchRate)))))));
}

submit("enrol", async answer => {
  const files = enrolled.files();
  if (files.length === 0) {
    throw new Error("Choose a photo, or take one with the camera, first.");
  }

  const form = new FormData();
  form.append("person", byId("person").value);
  files.forEach(file => form.append("photos", file));
  form.append("anyQuality", String(byId("any-quality").checked));
  form.append("crops", "true");
  const said = await api("/v1/people", { method: "POST", body: form });
  const already = said.photos.filter(one => one.already).length, before = already > 0 ? `, ${already} enrolled before` : "";
  answer.replaceChildren(
    notice("good", `${said.person}: ${said.enrolled} of ${files.length} ${files.length === 1 ? "photo" : "photos"} enrolled${before}.`),
    el("div", { class: "faces" }, said.photos.map(one => (one.face
      ? face(one.face, `Photo ${one.photo + 1}${one.template === null ? ": not enrolled" : ""}`)
      : el("p", {}, `Photo ${one.photo + 1}: no face was found.`)))));
  enrolled.clear();
  await people();
});

byId("earlier").addEventListener("click", () => turn(-pageSize));
byId("later").addEventListener("click", () => turn(pageSize));
byId("sure-no").addEventListener("click", () => byId("sure").close());
await people();

/** Wires a form: sends it, and shows the answer or the error. */
function submit(name, ask) {
  const form = byId(name);
  form.addEventListener("submit", async event => {
    event.preventDefault();
    const button = form.querySelector("button.main:not([type])");
    const answer = byId(`${name}-answer`);
    button.disabled = true;
    answer.replaceChildren(notice("", "Please wait …"));
    try {
      await ask(answer);
    } catch (error) {
      const faults = error.faults?.length ? [el("ul", {}, error.faults.map(fault => el("li", {}, fault)))] : [];
      answer.replaceChildren(notice("bad", error.message, ...faults));
    } finally {
      button.disabled = false;
    }
  });
}

/** Adds the threshold if one was entered; otherwise the service uses its calibration. */
function decideAt(form, name) {
  const threshold = byId(`${name}-threshold`).value.trim();
  if (threshold) {
    form.append("threshold", threshold);
  }
}

function one(field, what) {
  const files = field.files();
  if (files.length === 0) {
    throw new Error(`Choose ${what}, or take one with the camera, first.`);
  }

  return files[0];
}

function chance(rate) {
  return rate === null ? "unknown"
    : rate <= 0 ? "none observed"
      : rate >= 0.1 ? `${Math.round(rate * 100)} in 100`
        : `1 in ${Math.round(1 / rate).toLocaleString("en")}`;
}

async function turn(by) {
  offset = Math.max(0, offset + by);
  await people();
}

async function people() {
  try {
    const page = await api(`/v1/people?offset=${offset}&limit=${pageSize}`);
    byId("people-problem").replaceChildren();
    const shown = page.total > pageSize ? `, showing ${offset + 1} to ${offset + page.people.length}` : "";
    byId("people-count").textContent = page.total === 0
      ? "Nobody is enrolled yet."
      : `${page.total.toLocaleString("en")} ${page.total === 1 ? "person" : "people"}${shown}.`;
    byId("people").replaceChildren(...page.people.map(person => el("li", {},
      el("span", {}, person.person, el("small", {}, `, ${person.templates} ${person.templates === 1 ? "photo" : "photos"}`)),
      el("button", { type: "button", class: "danger", "aria-label": `Erase ${person.person}`, onclick: () => sure(person.person) }, "Erase"))));
    byId("earlier").hidden = offset === 0;
    byId("later").hidden = offset + page.people.length >= page.total;
  } catch (error) {
    byId("people-problem").replaceChildren(notice("bad", error.message));
  }
}

function sure(person) {
  byId("sure-words").textContent = `Erase everything that is stored about ${person}? This cannot be undone.`;
  byId("sure-yes").onclick = async () => {
    byId("sure").close();
    try {
      await api(`/v1/people/${encodeURIComponent(person)}`, { method: "DELETE" });
      await people();
    } catch (error) {
      byId("people-problem").replaceChildren(notice("bad", error.message));
    }
  };
  byId("sure").showModal();
  byId("sure-no").focus();
}
