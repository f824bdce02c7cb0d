// Embeddings of ten classes in two or three dimensions, on a canvas that can be rotated.
import { el } from "../dom.js";

const colors = Array.from({ length: 10 }, (_, i) => `--class-${i}`);

/** A figure with draw(state, labels) and describe(name, pairs). */
export function world() {
  const canvas = el("canvas", { role: "img", tabindex: 0, "aria-label": "Embeddings of ten classes" });
  const caption = el("figcaption", {}, "Not trained yet");
  const list = el("dl");
  const figure = el("figure", { class: "world" }, caption, canvas, list);
  let shown = null;
  let labels = [];
  let yaw = 0.6;
  let pitch = 0.4;
  let dragStart = null;

  canvas.addEventListener("pointerdown", event => {
    dragStart = [event.clientX, event.clientY];
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", event => {
    if (dragStart && shown?.embeddings[0].length === 3) {
      turn((event.clientX - dragStart[0]) / 120, (event.clientY - dragStart[1]) / 120);
      dragStart = [event.clientX, event.clientY];
    }
  });
  canvas.addEventListener("pointerup", () => { dragStart = null; });
  canvas.addEventListener("pointercancel", () => { dragStart = null; });
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
    const right = x * Math.cos(yaw) + z * Math.sin(yaw);
    const depth = -x * Math.sin(yaw) + z * Math.cos(yaw);
    return [right, y * Math.cos(pitch) - depth * Math.sin(pitch), y * Math.sin(pitch) + depth * Math.cos(pitch)];
  }

  function render() {
    const size = canvas.clientWidth;
    const density = window.devicePixelRatio || 1;
    canvas.width = canvas.height = Math.round(size * density);
    const context = canvas.getContext("2d");
    context.scale(density, density);
    const style = getComputedStyle(canvas);
    const half = size / 2;
    const unit = half / 1.25;
    context.strokeStyle = style.getPropertyValue("--line-strong");
    context.beginPath();
    context.arc(half, half, unit, 0, 2 * Math.PI);
    context.stroke();
    if (!shown) {
      return;
    }

    const palette = colors.map(name => style.getPropertyValue(name));
    const place = point => {
      const [x, y, z] = project(point);
      return [half + x * unit, half - y * unit, z];
    };
    const dots = shown.embeddings.map((point, i) => [...place(point), labels[i]]).sort((a, b) => a[2] - b[2]);
    for (const [x, y, z, label] of dots) {
      context.globalAlpha = 0.55 + 0.4 * Math.min(1, Math.max(-1, z));
      context.fillStyle = palette[label];
      context.beginPath();
      context.arc(x, y, 2.4, 0, 2 * Math.PI);
      context.fill();
    }

    context.globalAlpha = 1;
    context.lineWidth = 1.5;
    shown.centers.forEach((point, label) => {
      const [x, y] = place(point);
      context.strokeStyle = palette[label];
      context.beginPath();
      context.moveTo(half, half);
      context.lineTo(x, y);
      context.stroke();
      context.fillStyle = palette[label];
      context.strokeStyle = style.getPropertyValue("--text");
      context.beginPath();
      context.arc(x, y, 5, 0, 2 * Math.PI);
      context.fill();
      context.stroke();
    });
  }

  return {
    figure,
    draw(next, classes) {
      shown = next;
      labels = classes;
      render();
    },
    describe(name, pairs) {
      caption.textContent = name;
      list.replaceChildren(...pairs.flatMap(([term, value]) => [el("dt", {}, term), el("dd", {}, value)]));
    },
  };
}
