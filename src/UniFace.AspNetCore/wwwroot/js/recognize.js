import "./shell.js";
import { api } from "./api.js";
import { byId, el, notice } from "./dom.js";
import { decided, face, frequency, oneIn, scale, strangers } from "./recognize/answers.js";
import { showModel } from "./recognize/model.js";
import { photo } from "./recognize/photo.js";

const pageSize = 50;
const [first, second] = [photo("First photo"), photo("Second photo")];
byId("verify-photos").append(first.field, second.field);
const probe = photo("Photo");
byId("identify-photo").append(probe.field);
const enrolled = photo("Photos", true);
byId("enroll-photo").append(enrolled.field);
let offset = 0;

submit("verify", async answer => {
  const form = new FormData();
  form.append("a", requirePhoto(first, "the first photo"));
  form.append("b", requirePhoto(second, "the second photo"));
  form.append("crops", "true");
  appendThreshold(form, "verify");
  const result = await api("/v1/verify", { method: "POST", body: form });
  answer.replaceChildren(
    notice(result.same ? "good" : "bad", el("strong", {}, result.same ? "Same person" : "Not confirmed as the same person"),
      `: ${oneIn(result.falseMatchRateAtScore)}.`),
    scale(result.score, result.threshold, result.same),
    el("p", { class: "muted" }, decided(result)),
    el("div", { class: "faces" }, face(result.a, "First face"), face(result.b, "Second face")));
});

submit("identify", async answer => {
  const form = new FormData();
  form.append("photo", requirePhoto(probe, "a photo"));
  form.append("crops", "true");
  appendThreshold(form, "identify");
  const [result, gallery] = await Promise.all([api("/v1/identify", { method: "POST", body: form }), api("/v1/gallery")]);
  const matched = result.decision === "match";
  answer.replaceChildren(
    result.decision === "no-face" ? notice("warn", "No face was found on this photo.")
      : matched ? notice("good", el("strong", {}, result.person), `: ${oneIn(result.candidates[0].falseMatchRate)}.`)
        : notice("warn", el("strong", {}, "Not enrolled"), result.candidates.length
          ? `: the most similar person is ${result.candidates[0].person}, below the threshold.`
          : ": nobody is enrolled yet."),
    ...(result.score === null ? [] : [scale(result.score, result.threshold, matched)]),
    el("p", { class: "muted" }, decided(result), ` ${strangers(result, gallery.people)}`),
    result.face ? el("div", { class: "faces" }, face(result.face, "The face")) : "",
    result.candidates.length ? candidates(result.candidates) : "");
});

function candidates(people) {
  return el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Most similar people" },
    el("table", { class: "matches" }, el("caption", {}, "Most similar people"),
      el("thead", {}, el("tr", {}, ["Person", "Score", "Chance of a stranger scoring this"].map(name => el("th", { scope: "col" }, name)))),
      el("tbody", {}, people.map(c => el("tr", {},
        el("td", {}, c.person),
        el("td", { class: "number" }, c.score.toFixed(3)),
        el("td", {}, frequency(c.falseMatchRate)))))));
}

submit("enroll", async answer => {
  const files = enrolled.files();
  if (files.length === 0) {
    throw new Error("Choose a photo, or take one with the camera.");
  }

  const form = new FormData();
  form.append("person", byId("person").value);
  files.forEach(file => form.append("photos", file));
  form.append("anyQuality", String(byId("any-quality").checked));
  form.append("crops", "true");
  const result = await api("/v1/people", { method: "POST", body: form });
  const already = result.photos.filter(photo => photo.already).length, before = already > 0 ? `, ${already} enrolled before` : "";
  answer.replaceChildren(
    notice("good", `${result.person}: ${result.enrolled} of ${files.length} ${files.length === 1 ? "photo" : "photos"} enrolled${before}.`),
    el("div", { class: "faces" }, result.photos.map(entry => (entry.face
      ? face(entry.face, `Photo ${entry.photo + 1}${entry.template === null ? ": not enrolled" : ""}`)
      : el("p", {}, `Photo ${entry.photo + 1}: no face was found.`)))));
  enrolled.clear();
  await listPeople();
});

byId("earlier").addEventListener("click", () => movePage(-pageSize));
byId("later").addEventListener("click", () => movePage(pageSize));
byId("confirm-no").addEventListener("click", () => byId("confirm").close());
await listPeople();
await showModel(byId("model-section"), byId("model"));

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
function appendThreshold(form, name) {
  const threshold = byId(`${name}-threshold`).value.trim();
  if (threshold) {
    form.append("threshold", threshold);
  }
}

function requirePhoto(field, what) {
  const files = field.files();
  if (files.length === 0) {
    throw new Error(`Choose ${what}, or take one with the camera.`);
  }

  return files[0];
}

async function movePage(by) {
  offset = Math.max(0, offset + by);
  await listPeople();
}

async function listPeople() {
  try {
    const page = await api(`/v1/people?offset=${offset}&limit=${pageSize}`);
    if (page.people.length === 0 && offset > 0) {
      await movePage(-pageSize); // the last person of the last page was erased
      return;
    }

    byId("people-problem").replaceChildren();
    const shown = page.total > pageSize ? `, showing ${offset + 1} to ${offset + page.people.length}` : "";
    byId("people-count").textContent = page.total === 0
      ? "Nobody is enrolled yet."
      : `${page.total.toLocaleString("en")} ${page.total === 1 ? "person" : "people"}${shown}.`;
    byId("people").replaceChildren(...page.people.map(person => el("li", {},
      el("span", {}, person.person, el("small", {}, `, ${person.templates} ${person.templates === 1 ? "photo" : "photos"}`)),
      el("button", { type: "button", class: "danger", "aria-label": `Erase ${person.person}`, onclick: () => confirmErase(person.person) }, "Erase"))));
    byId("earlier").hidden = offset === 0;
    byId("later").hidden = offset + page.people.length >= page.total;
  } catch (error) {
    byId("people-problem").replaceChildren(notice("bad", error.message));
  }
}

function confirmErase(person) {
  byId("confirm-text").textContent = `Erase everything that is stored about ${person}? This cannot be undone.`;
  byId("confirm-yes").onclick = async () => {
    byId("confirm").close();
    try {
      await api(`/v1/people/${encodeURIComponent(person)}`, { method: "DELETE" });
      await listPeople();
    } catch (error) {
      byId("people-problem").replaceChildren(notice("bad", error.message));
    }
  };
  byId("confirm").showModal();
  byId("confirm-no").focus();
}
