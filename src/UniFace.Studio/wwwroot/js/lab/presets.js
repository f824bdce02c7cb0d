// Examples with explanations. The numbers in the text are read from the curves.
import { degrees, number } from "../dom.js";

const points = (data, name) => data.curves.find(curve => curve.name === name).points;
const last = list => list[list.length - 1];

export const presets = [
  {
    name: "uce and softmax",
    shown: { loss: "uce", margin: 0.4, scale: 64 },
    kept: [{ loss: "softmax", classes: 10_000 }],
    explain: uce => `uce compares every cosine with one threshold (${number(uce.threshold)} before training), so it is satisfied only above ` +
      `${number(halfProbability(uce))}, whatever the other classes are: recognition also decides with one threshold for everybody. softmax divides by the ` +
      "sum over the classes, so it only requires the other classes to be further away, and no threshold fits every person.",
  },
  {
    name: "m = 0.8",
    shown: { loss: "arcface", margin: 0.8, scale: 64, wrap: "plain" },
    kept: [
      { loss: "arcface", margin: 0.5, scale: 64, wrap: "plain", classes: 10_000 },
      { loss: "arcface", margin: 0.8, scale: 64, wrap: "guard", classes: 10_000 },
    ],
    explain: data => `Beyond ${degrees(signChange(data))}, the angle plus 0.8 exceeds 180°. The logit rises again and the gradient changes sign, so the ` +
      "loss pushes the sample away from its own center. “guard” keeps the logit falling.",
  },
  {
    name: "s = 16",
    shown: { loss: "cosface", margin: 0.35, scale: 16 },
    kept: [{ loss: "cosface", margin: 0.35, scale: 64, classes: 10_000 }],
    explain: data => `Even a perfect sample, at cosine 1, reaches a probability of only ${number(last(points(data, "probability")).y)} among ` +
      `${data.options.classes.toLocaleString("en")} classes: cosines differ by at most 2, logits by at most 2 s, and ` +
      "the many other classes add up against the correct one. So the loss never vanishes and keeps pulling correct samples.",
  },
  {
    name: "fp16 at s = 64",
    log: true,
    shown: { loss: "normface", scale: 64, bits: 16 },
    kept: [{ loss: "normface", scale: 64, bits: 64, classes: 10_000 }],
    explain: (half, [full]) => `In 16 bits, the gradient is exactly 0 below ${degrees(zeroUpTo(half))}, where in 64 bits it is still ` +
      `${number(largestGradient(full, zeroUpTo(half)))} per radian: the last digits of the probability are lost, and training stalls. ` +
      "Therefore every loss here computes in 32 bits.",
  },
];

/** The cosine at which the probability of the correct class reaches one half. */
const halfProbability = data => points(data, "probability").find(point => point.y >= 0.5)?.x ?? 1;

/** The angle at which the gradient changes sign. */
function signChange(data) {
  const list = points(data, "gradient");
  const at = list.findIndex((point, i) => i > 0 && list[i - 1].y > 0 && point.y < 0);
  if (at < 0) {
    return Math.PI;
  }

  const [before, after] = [list[at - 1], list[at]];
  return before.x + (after.x - before.x) * before.y / (before.y - after.y);
}

/** The largest angle up to which the gradient is 0. */
const zeroUpTo = data => (points(data, "gradient").find(point => point.y === null || Math.abs(point.y) > 0) ?? { x: 0 }).x;

/** The largest gradient below an angle. */
const largestGradient = (data, angle) => points(data, "gradient").filter(point => point.x < angle).reduce((most, point) => Math.max(most, point.y ?? 0), 0);
