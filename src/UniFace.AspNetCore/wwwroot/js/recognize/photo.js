// A photo, from a file or the camera.
import { api } from "../api.js";
import { el, notice } from "../dom.js";

/**
 * A field for one photo, or for several. files() returns the chosen files. While the camera is on, the service checks once per second
 * whether the photo is good enough to enroll.
 */
export function photo(label, multiple = false) {
  const accept = "image/jpeg,image/png,image/webp,image/bmp";
  const input = el("input", { type: "file", accept, multiple, "aria-label": `${label}: ${multiple ? "files" : "file"}` });
  const preview = el("div");
  const message = el("div", { "aria-live": "polite" });
  const open = el("button", { type: "button", onclick: start }, "Use the camera");
  const take = el("button", { type: "button", class: "main", hidden: true, onclick: takePhoto }, "Take the photo");
  const close = el("button", { type: "button", hidden: true, onclick: stop }, "Close the camera");
  const field = el("fieldset", { class: "photo" }, el("legend", {}, label), input, preview, message, el("div", { class: "row" }, open, take, close));
  let taken = [];
  let stream = null;
  let video = null;
  let timer = 0;
  let checking = false;
  let requests = 0; // for the camera; releasing it makes a pending one obsolete

  input.addEventListener("change", () => {
    taken = [];
    stop();
  });
  window.addEventListener("pagehide", release);

  async function start() {
    if (!navigator.mediaDevices || !window.isSecureContext) {
      message.replaceChildren(notice("bad",
        "Browsers allow the camera only on pages from the same machine or over https. Choose a file, or open the service over https."));
      return;
    }

    const request = ++requests;
    open.disabled = true;
    try {
      const granted = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 1280 }, facingMode: "user" } });
      if (request !== requests) {
        granted.getTracks().forEach(track => track.stop()); // a file was chosen while the browser asked for permission
        return;
      }

      stream = granted;
    } catch (error) {
      message.replaceChildren(notice("bad", error.name === "NotAllowedError"
        ? "Access to the camera was denied. Allow it for this page, or choose a file."
        : "No camera is available. Choose a file instead."));
      return;
    } finally {
      open.disabled = false;
    }

    video = el("video", { autoplay: true, muted: true, playsinline: true, "aria-label": `Camera for ${label}` });
    video.srcObject = stream;
    preview.replaceChildren(video);
    [open.hidden, take.hidden, close.hidden] = [true, false, false];
    take.focus();
    timer = setInterval(check, 1000);
  }

  /** Releases the camera. Draws nothing: an image that is set while the page unloads is fetched as a ping, which the content policy blocks. */
  function release() {
    requests++;
    clearInterval(timer);
    stream?.getTracks().forEach(track => track.stop());
    stream = video = null;
  }

  function stop() {
    release();
    [open.hidden, take.hidden, close.hidden] = [false, true, true];
    message.replaceChildren();
    showFiles();
  }

  async function frame() {
    const canvas = el("canvas", { width: video.videoWidth, height: video.videoHeight });
    canvas.getContext("2d").drawImage(video, 0, 0);
    return new Promise(done => { canvas.toBlob(done, "image/jpeg", 0.92); });
  }

  async function check() {
    if (checking || !video?.videoWidth || document.hidden) {
      return;
    }

    checking = true;
    try {
      const form = new FormData();
      form.append("photo", await frame());
      const { faces } = await api("/v1/detect", { method: "POST", body: form });
      if (!video) {
        return;
      }

      const faults = faces.length === 0 ? ["No face is visible."] : faces[0].faults.map(fault => fault.message);
      message.replaceChildren(notice(faults.length ? "warn" : "good", faults.length ? faults.join(" ") : "Good quality: ready to enroll."));
    } catch (error) {
      if (error.status === 401 || error.status === 403) {
        clearInterval(timer);
      }

      message.replaceChildren(notice("warn", error.message));
    } finally {
      checking = false;
    }
  }

  async function takePhoto() {
    if (!video?.videoWidth) {
      return;
    }

    const blob = await frame();
    taken = multiple ? [...taken, blob] : [blob];
    input.value = "";
    stop();
    open.focus();
  }

  function showFiles() {
    preview.replaceChildren(...files().map((file, i) => el("img", {
      src: URL.createObjectURL(file),
      onload: event => URL.revokeObjectURL(event.target.src),
      alt: `${label}, ${file.name ?? `photo ${i + 1} from the camera`}`,
    })));
  }

  const files = () => (taken.length ? taken : [...input.files]);

  return {
    field,
    files,
    clear() {
      taken = [];
      input.value = "";
      showFiles();
    },
  };
}
