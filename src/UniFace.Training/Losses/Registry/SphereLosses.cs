using UniFace.Training.Losses.Margins;
using UniFace.Training.Losses.Objectives;
using static UniFace.Training.Losses.Registry.Hyperparameters;

namespace UniFace.Training.Losses.Registry;

/// <summary>SphereFace and SphereFace-R: a factor on the angle.</summary>
internal static class SphereLosses
{
    public static IReadOnlyList<LossDescriptor> All { get; } =
    [
        new("sphereface", "A factor on the target angle, with the embedding's own length as the scale, annealed in.",
            "Liu et al., SphereFace, CVPR 2017",
            [
                Number("margin", 4, 1, 10, "m, factor on the target angle.", "4").Harder(),
                Number("lambda", 5, 0, 10_000, "Weight of the plain cosine that the annealing ends at.", "5"),
                Number("lambda-start", 1000, 0, 100_000, "Weight of the plain cosine that the annealing starts at; 0: none.", "1000"),
                Number("lambda-decay", 0.12, 0, 100, "The weight at a step is start / (1 + decay * step).", "0.12"),
                Gradient("chain"),
                NegativeRate,
            ])
        {
            Build = (spec, shape) => (
                new AnnealedSphereMargin(spec.Number("margin"), spec.Number("lambda"), spec.Number("lambda-start"), spec.Number("lambda-decay"), spec.Choice<MarginGradient>("gradient")),
                new SoftmaxCrossEntropy(new NormScale())),
        },
        new("sphereface-r", "A factor on the angle with a fixed scale: of the target, folded (v0) or cut off (v1) past pi, or dividing the others' angles (v2).",
            "Liu et al., SphereFace Revived, TPAMI 2022",
            [
                Number("margin", 1.5, 1, 10, "m, factor on the target angle, or divisor of the others'.", "1.4 to 1.7").Harder(),
                Scale(30, "30 to 64"),
                Choice("variant", "v0", "What m does: v0 folds the target past pi, v1 cuts it off there, v2 divides the others' angles.", "v0", "v1", "v2"),
                LossWeight(0, 0, "lw of hard feature normalisation: the loss times lw / s; 0 leaves it as it is."),
                Gradient("straight-through"),
                NegativeRate,
            ])
        {
            Build = (spec, shape) => (Revived(spec), new SoftmaxCrossEntropy(
                new FixedScale(spec.Number("scale")),
                spec.Number("loss-weight") == 0 ? 1 : spec.Number("loss-weight") / spec.Number("scale"))),
        },
    ];

    private static Margin Revived(LossSpec spec)
    {
        double margin = spec.Number("margin");
        MarginGradient gradient = spec.Choice<MarginGradient>("gradient");
        return spec.Text("variant") switch
        {
            "v0" => new SphereMargin(margin, gradient),
            "v1" => new CutSphereMargin(margin, gradient),
            _ => new NegativeSphereMargin(margin, gradient),
        };
    }
}
