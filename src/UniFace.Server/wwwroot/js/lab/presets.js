// What is worth seeing first. A sentence's numbers are read off the curves that it speaks of.
import { degrees, number } from "../dom.js";

const points = (data, name) => data.curves.find(curve => curve.name === name).points;
const last = list => list[list.length - 1];

export const presets = [
  {
    name: "uce beside softmax",
    shown: { loss: "uce", margin: 0.4, scale: 64 },
    kept: [{ loss: "normface", scale: 64, classes: 10_000 }],
    seen: uce => `uce compares the sample with one threshold for everybody (cosine ${number(uce.threshold)} before training): a sample is content only above ${number(crossing(uce))}, whatever the other classes do; softmax only asks that the other classes be further away.`,
  },
  {
    name: "m = 0.8",
    shown: { loss: "arcface", margin: 0.8, scale: 64, wrap: "plain" },
    kept: [{ loss: "arcface", margin: 0.5, scale: 64, wrap: "plain", classes: 10_000 }, { loss: "arcface", margin: 0.8, scale: 64, wrap: "guard", classes: 10_000 }],
    seen: data => `Beyond ${degrees(turn(data))} the angle plus 0.8 passes 180°, the logit rises again and the gradient turns round: the loss pushes the sample away from its own center. “guard” keeps it falling.`,
  },
  {
    name: "s = 16",
    shown: { loss: "cosface", margin: 0.35, scale: 16 },
    kept: [{ loss: "cosface", margin: 0.35, scale: 64, classes: 10_000 }],
    seen: data => `Even a perfect sample, at cosine 1, reaches a probability of only ${number(last(points(data, "probability")).y)} among ${data.options.classes.toLocaleString("en")} classes: with s = 16 the loss never comes to rest and goes on pulling samples that are right.`,
  },
  {
    name: "fp16 at s = 64",
    log: true,
    shown: { loss: "normface", scale: 64, bits: 16 },
    kept: [{ loss: "normface", scale: 64, bits: 64, classes: 10_000 }],
    seen: (half, [full]) => `In 16 bits the gradient is exactly 0 below ${degrees(dead(half))}, where 64 bits still pull with ${number(pull(full, dead(half)))} per radian: the last digits of the probability are lost, and so is the end of training. That is why every loss here computes in 32 bits.`,
  },
];

/** The cosine at which the right class becomes more likely than not. */
const crossing = data => points(data, "probability").find(point => point.y >= 0.5)?.x ?? 1;

/** The angle at which the gradient turns round. */
function turn(data) {
  const list = points(data, "gradient");
  const at = list.findIndex((point, i) => i > 0 && list[i - 1].y > 0 && point.y < 0);
  if (at < 0) {
    return Math.PI;
  }

  const [before, after] = [list[at - 1], list[at]];
  return before.x + (after.x - before.x) * before.y / (before.y - after.y);
}

/** The largest angle from 0 on up to which the gradient is nothing. */
const dead = data => (points(data, "gradient").find(point => point.y === null || Math.abs(point.y) > 0) ?? { x: 0 }).x;

/** The gradient just inside an angle. */
const pull = (data, angle) => points(data, "gradient").filter(point => point.x < angle).reduce((most, point) => Math.max(most, point.y ?? 0), 0);
