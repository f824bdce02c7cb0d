// Embeddings of ten classes in two or three dimensions, on a canvas that can be rotated.
import { el } from "../dom.js";

const colors = Array.from({ length: 10 }, (_, i) => `--class-${i}`);

/** A figure with draw(points, labels) and words(name, pairs). */
export function world() {
  const canvas = el("canvas", { role: "img", tabindex: 0, "aria-label": "Embeddings of ten classes" });
  const caption = el("figcaption", {}, "Not trained yet");
  const list = el("dl");
  const figure = el("figure", { class: "world" }, caption, canvas, list);
  let shown = null;
  let labels = [];
  let yaw = 0.6;
  let pitch = 0.4;
  let grip = null;

  canvas.addEventListener("pointerdown", event => {
    grip = [event.clientX, event.clientY];
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", event => {
    if (grip && shown?.embeddings[0].length === 3) {
      turn((event.clientX - grip[0]) / 120, (event.clientY - grip[1]) / 120);
      grip = [event.clientX, event.clientY];
    }
  });
  canvas.addEventListener("pointerup", () => { grip = null; });
  canvas.addEventListener("pointercancel", () => { grip = null; });
  canvas.addEventListener("keydown", event => {
    const by = { ArrowLeft: [-0.1, 0], ArrowRight: [0.1, 0], ArrowUp: [0, -0.1], ArrowDown: [0, 0.1] }[event.key];
    if (by && shown?.embeddings[0].length === 3) {
      turn(...by);
      event.preventDefault();
    }
  });
  new ResizeObserver(render).observe(canvas);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", render);

  function turn(x, y) {
    yaw += x;
    pitch = Math.min(1.5, Math.max(-1.5, pitch + y));
    render();
  }

  function project(point) {
    if (point.length === 2) {
      return [point[0], point[1], 0];
    }

    const [x, y, z] = point;
    const across = x * Math.cos(yaw) + z * Math.sin(yaw);
    const deep = -x * Math.sin(yaw) + z * Math.cos(yaw);
    return [across, y * Math.cos(pitch) - deep * Math.sin(pitch), y * Math.sin(pitch) + deep * Math.cos(pitch)];
  }

  function render() {
    const size = canvas.clientWidth;
    const density = window.devicePixelRatio || 1;
    canvas.width = canvas.height = Math.round(size * density);
    const pen = canvas.getContext("2d");
    pen.scale(density, density);
    const style = getComputedStyle(canvas);
    const half = size / 2;
    const unit = half / 1.25;
    pen.strokeStyle = style.getPropertyValue("--line-strong");
    pen.beginPath();
    pen.arc(half, half, unit, 0, 2 * Math.PI);
    pen.stroke();
    if (!shown) {
      return;
    }

    const paint = colors.map(name => style.getPropertyValue(name));
    const place = point => {
      const [x, y, z] = project(point);
      return [half + x * unit, half - y * unit, z];
    };
    const dots = shown.embeddings.map((point, i) => [...place(point), labels[i]]).sort((a, b) => a[2] - b[2]);
    for (const [x, y, z, label] of dots) {
      pen.globalAlpha = 0.55 + 0.4 * Math.min(1, Math.max(-1, z));
      pen.fillStyle = paint[label];
      pen.beginPath();
      pen.arc(x, y, 2.4, 0, 2 * Math.PI);
      pen.fill();
    }

    pen.globalAlpha = 1;
    pen.lineWidth = 1.5;
    shown.centers.forEach((point, label) => {
      const [x, y] = place(point);
      pen.strokeStyle = paint[label];
      pen.beginPath();
      pen.moveTo(half, half);
      pen.lineTo(x, y);
      pen.stroke();
      pen.fillStyle = paint[label];
      pen.strokeStyle = style.getPropertyValue("--text");
      pen.beginPath();
      pen.arc(x, y, 5, 0, 2 * Math.PI);
      pen.fill();
      pen.stroke();
    });
  }

  return {
    figure,
    draw(next, classes) {
      shown = next;
      labels = classes;
      render();
    },
    words(name, pairs) {
      caption.textContent = name;
      list.replaceChildren(...pairs.flatMap(([term, value]) => [el("dt", {}, term), el("dd", {}, value)]));
    },
  };
}
