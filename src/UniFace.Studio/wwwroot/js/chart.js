// Charts in SVG with axes, a legend, and a cursor for pointer and arrow keys.
import { el, number, svg } from "./dom.js";

const pad = { left: 54, right: 20, top: 10, bottom: 40 };
const defaultHeight = 260; // the style sheet may override it

/** A swatch of a series for a legend: of a line, or of bars. */
export const swatch = (series, kind = "line") => svg("svg", { class: "swatch", viewBox: "0 0 28 10", "aria-hidden": "true" }, kind === "bars"
  ? svg("rect", { width: 28, height: 10, class: `box s${series}` })
  : svg("line", { x1: 0, x2: 28, y1: 5, y2: 5, "stroke-width": 3, class: `s${series}` }));

/**
 * A figure with draw(data). data: series [{label, series, points: [{x, y}], kind: "line" | "bars"}], x and y: {label, min, max, ticks, format},
 * y.log, marks [{x, label}]. Missing limits and ticks are computed; a logarithmic axis needs both.
 */
export function chart(title, hint) {
  const caption = el("figcaption", {}, title);
  const canvas = svg("svg", { role: "img", tabindex: 0, height: defaultHeight, "aria-label": title });
  const legend = el("ul", { class: "legend" });
  const figure = el("figure", { class: "chart" }, caption, hint ? el("p", { class: "hint" }, hint) : null, canvas, legend);
  let data = null;
  let cursor = null;

  function render() {
    if (!data) {
      return;
    }

    const axes = scales(data, canvas);
    const { width, height } = axes;
    canvas.setAttribute("viewBox", `0 0 ${width} ${height}`);
    canvas.setAttribute("aria-label", describe(title, data));
    const clip = `clip-${figure.dataset.id}`;
    canvas.replaceChildren(
      svg("clipPath", { id: clip }, svg("rect", { x: axes.left, y: pad.top, width: width - axes.left - pad.right, height: height - pad.top - pad.bottom })),
      ...grid(axes),
      svg("g", { "clip-path": `url(#${clip})` }, ...data.series.map(series => series.kind === "bars" ? bars(series, axes) : curve(series, axes))),
      ...(data.marks ?? []).flatMap(mark => drawMark(mark, axes)),
      ...(cursor === null ? [] : [svg("line", { class: "cursor", x1: axes.x(cursor), x2: axes.x(cursor), y1: pad.top, y2: height - pad.bottom })]));
    legend.replaceChildren(...data.series.filter(series => series.label).map(series => el("li", {},
      swatch(series.series, series.kind), el("span", {}, series.label), cursor === null ? null : el("output", {}, number(nearest(series.points, cursor)?.y)))));
    if (cursor !== null) {
      legend.append(el("li", {}, el("span", { class: "muted" }, `at ${format(data.x, cursor)}`)));
    }
  }

  function move(to) {
    const axis = scales(data, canvas);
    cursor = to === null ? null : Math.min(axis.xMax, Math.max(axis.xMin, to));
    render();
  }

  canvas.addEventListener("pointermove", event => {
    if (data) {
      move(scales(data, canvas).fromPixel(event.clientX - canvas.getBoundingClientRect().left));
    }
  });
  canvas.addEventListener("pointerleave", () => data && move(null));
  canvas.addEventListener("keydown", event => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (data && step) {
      const { xMin, xMax } = scales(data, canvas);
      move((cursor ?? (xMin + xMax) / 2) + step * (xMax - xMin) / 60);
      event.preventDefault();
    } else if (data && event.key === "Escape") {
      move(null);
    }
  });
  canvas.addEventListener("blur", () => data && cursor !== null && move(null));
  figure.dataset.id = String(chart.count = (chart.count ?? 0) + 1);
  new ResizeObserver(render).observe(canvas);
  return { figure, draw(next) { data = next; render(); } };
}

function scales(data, canvas) {
  const width = Math.max(canvas.clientWidth, 240);
  const height = canvas.clientHeight || defaultHeight;
  const all = data.series.flatMap(series => series.points);
  const ys = all.map(point => point.y).filter(y => y !== null && Number.isFinite(y));
  const xs = all.map(point => point.x);
  const [xMin, xMax] = limits(data.x?.min, data.x?.max, xs, false);
  const [yMin, yMax] = limits(data.y?.min, data.y?.max, ys, true);
  const yTicks = data.y?.ticks ?? ticks(yMin, yMax, height < 220 ? 4 : 5);
  const yTexts = tickTexts(data.y, yTicks);
  const left = Math.max(pad.left, 14 + 7 * Math.max(...yTexts.map(text => text.length), 0));
  const plotWidth = width - left - pad.right;
  const plotHeight = height - pad.top - pad.bottom;
  const yScale = data.y?.log ? v => Math.log10(Math.max(v, yMin)) : v => v;
  return {
    data, width, height, left, bottom: height - pad.bottom, yTicks, yTexts, xMin, xMax, yMin, yMax,
    x: v => left + (v - xMin) / (xMax - xMin) * plotWidth,
    y: v => pad.top + plotHeight - (yScale(v) - yScale(yMin)) / (yScale(yMax) - yScale(yMin)) * plotHeight,
    fromPixel: px => xMin + (px - left) / plotWidth * (xMax - xMin),
  };
}

function limits(min, max, values, padded) {
  let low = min ?? values.reduce((a, b) => Math.min(a, b), Infinity);
  let high = max ?? values.reduce((a, b) => Math.max(a, b), -Infinity);
  if (!Number.isFinite(low) || !Number.isFinite(high)) {
    [low, high] = [0, 1];
  }

  if (low === high) {
    [low, high] = [low - 1, high + 1];
  }

  const padding = padded ? (high - low) * 0.05 : 0;
  return [min ?? low - padding, max ?? high + padding];
}

/** About count round numbers between two limits. */
function ticks(min, max, count) {
  const raw = (max - min) / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map(m => m * power).find(s => s >= raw);
  const first = Math.ceil(min / step - 1e-9) * step;
  return Array.from({ length: Math.floor((max - first) / step + 1e-9) + 1 }, (_, i) => Number((first + i * step).toPrecision(10)));
}

const format = (axis, value) => axis?.format ? axis.format(value) : number(value);

/** Labels of ticks, with as many digits as are needed to distinguish them. */
function tickTexts(axis, values) {
  const step = values.length > 1 ? Math.abs(values[1] - values[0]) : 1;
  const size = Math.max(...values.map(Math.abs), 0);
  const digits = Math.max(0, Math.ceil(-Math.log10(step) - 1e-9));
  const plain = value => value.toLocaleString("en", { minimumFractionDigits: 0, maximumFractionDigits: digits });
  const text = axis?.format ?? (size < 1e6 && digits <= 6 ? plain : number);
  return values.map(value => text(value));
}

function grid(axes) {
  const { data, width, height, left, bottom, xMin, xMax, yTicks, yTexts, x, y } = axes;
  const xTicks = data.x?.ticks ?? ticks(xMin, xMax, Math.max(3, Math.floor(width / 90)));
  const xTexts = tickTexts(data.x, xTicks);
  return [
    ...xTicks.flatMap((t, i) => [
      svg("line", { class: "grid", x1: x(t), x2: x(t), y1: pad.top, y2: bottom }),
      svg("text", { x: x(t), y: bottom + 16, "text-anchor": "middle" }, xTexts[i]),
    ]),
    ...yTicks.flatMap((t, i) => [
      svg("line", { class: t === 0 ? "zero" : "grid", x1: left, x2: width - pad.right, y1: y(t), y2: y(t) }),
      svg("text", { x: left - 6, y: y(t) + 4, "text-anchor": "end" }, yTexts[i]),
    ]),
    svg("text", { x: (left + width - pad.right) / 2, y: height - 5, "text-anchor": "middle" }, data.x?.label ?? ""),
  ];
}

function curve(series, axes) {
  let path = "";
  let penDown = false;
  for (const point of series.points) {
    const isShown = point.y !== null && Number.isFinite(point.y);
    if (isShown) {
      path += `${penDown ? "L" : "M"}${axes.x(point.x).toFixed(1)} ${clampPixel(axes.y(point.y), axes.height).toFixed(1)}`;
    }

    penDown = isShown;
  }

  return svg("path", { class: `curve s${series.series}`, d: path || "M0 0" });
}

function bars(series, axes) {
  const width = axes.x(series.width) - axes.x(0);
  const base = axes.y(Math.max(0, axes.yMin));
  return svg("g", {}, ...series.points.filter(point => point.y > 0).map(point => svg("rect", {
    class: `bar s${series.series}`,
    x: axes.x(point.x),
    width: Math.max(1, width),
    y: axes.y(point.y),
    height: Math.max(0, base - axes.y(point.y)),
  })));
}

const clampPixel = (y, height) => Math.min(height * 4, Math.max(-height * 3, y));

function drawMark(mark, axes) {
  const x = axes.x(mark.x);
  const isRight = x > axes.width * 0.7;
  return mark.x < axes.xMin || mark.x > axes.xMax ? [] : [
    svg("line", { class: "mark", x1: x, x2: x, y1: pad.top, y2: axes.bottom }),
    svg("text", { class: "mark-text", x: x + (isRight ? -4 : 4), y: pad.top + 12, "text-anchor": isRight ? "end" : "start" }, mark.label),
  ];
}

function nearest(points, x) {
  let best = null;
  for (const point of points) {
    if (best === null || Math.abs(point.x - x) < Math.abs(best.x - x)) {
      best = point;
    }
  }

  return best;
}

function describe(title, data) {
  const parts = data.series.filter(series => series.label).map(series => {
    const ys = series.points.map(point => point.y).filter(y => y !== null && Number.isFinite(y));
    const low = ys.reduce((a, b) => Math.min(a, b), Infinity);
    const high = ys.reduce((a, b) => Math.max(a, b), -Infinity);
    return ys.length
      ? `${series.label}: from ${number(ys[0])} to ${number(ys.at(-1))}, lowest ${number(low)}, highest ${number(high)}`
      : `${series.label}: no values`;
  });
  return `${title}. ${data.x?.label ?? ""}. ${parts.join(". ")}. The arrow keys move a cursor.`;
}
