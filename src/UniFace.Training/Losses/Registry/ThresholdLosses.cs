using UniFace.Training.Losses.Margins;
using UniFace.Training.Losses.Objectives;
using static UniFace.Training.Losses.Registry.Hyperparameters;

namespace UniFace.Training.Losses.Registry;

/// <summary>Losses that compare every similarity with a learned threshold.</summary>
internal static class ThresholdLosses
{
    public static IReadOnlyList<LossDescriptor> All { get; } =
    [
        new("uce", "Unified cross-entropy: every similarity, positive or negative, against one learned threshold; any margin on the positives.",
            "Zhou, Jia, Li, Shen and Duan, UniFace, ICCV 2023", Unified)
        {
            Build = (spec, shape) => (Any(spec), Threshold(spec, shape, 1)),
        },
        new("bce", "Binary cross-entropy: every similarity against a learned threshold of its class; any margin on the positives.",
            "the baseline of Zhou et al., UniFace, ICCV 2023, supplement E", Unified)
        {
            Build = (spec, shape) => (Any(spec), Threshold(spec, shape, shape.Classes)),
        },
        new("sphereface2", "Binary cross-entropy with one shared bias, stretched similarities, margins on both sides and weights that balance them.",
            "Wen et al., SphereFace2, ICLR 2022",
            [
                Number("margin", 0.4, 0, 1.5, "m, subtracted from the target's and added to the others' similarity.", "0.3 to 0.5").Harder(),
                Scale(40, "30 to 64"),
                Number("alpha", 0.7, 0.001, 0.999, "Weight of the target; the others have 1 - alpha.", "0.7 to 0.8"),
                Number("t", 3, 1, 20, "t, power that stretches similarities; 1 leaves them as they are."),
                LossWeight(50, 0.001, "lw, factor on the loss."),
                Gradient("straight-through"),
                NegativeRate,
            ])
        {
            Build = (spec, shape) => (
                new TwoSidedMargin(spec.Number("margin"), spec.Number("t"), spec.Choice<MarginGradient>("gradient")),
                new BalancedBinaryCrossEntropy(shape.Classes, spec.Number("scale"), spec.Number("alpha"), spec.Number("loss-weight"), spec.Number("margin"), spec.Number("t"), shape.Dtype)),
        },
    ];

    private static IReadOnlyList<LossHyperparameter> Unified =>
    [
        Choice("margin-type", "cos", "The margin of the positives: cosine, angle (arc), SphereFace's factor on the angle (sphere), or all three (combined).", "cos", "arc", "sphere", "combined"),
        CosineMargin(0.4).Only("cos"),
        AngularMargin(0.5).Only("arc"),
        Number("m1", 1.5, 1, 10, "m1, factor on the target angle.", "1.3 to 1.7").Harder().Only("sphere"),
        Number("m1", 1, 0.1, 10, "m1, factor on the target angle.", "0.9 to 1.2").Harder().Only("combined"),
        Number("m2", 0.3, 0, 1.5, "m2, added to the target angle, in radians.").Harder().Only("combined"),
        Number("m3", 0.2, 0, 1.5, "m3, subtracted from the target cosine.").Harder().Only("combined"),
        Scale(64),
        Lambda,
        NegativeRate,
        new LossHyperparameter("bias", HyperparameterKind.NumberOrAuto, LossHyperparameter.Auto, "Start of the learned threshold b = s * cosine; auto is ln(10 * C * r) for C classes.") { Minimum = -20_000, Maximum = 20_000 },
        Clamp,
        Wrap("guard").Only("arc", "combined"),
        Gradient("chain").Only("arc", "sphere", "combined"),
    ];

    private static Margin Any(LossSpec spec) => spec.Text("margin-type") switch
    {
        "cos" => new CosineMargin(spec.Number("margin")),
        "arc" => SoftmaxLosses.Arc(spec),
        "sphere" => new SphereMargin(spec.Number("m1"), spec.Choice<MarginGradient>("gradient")),
        _ => new AngularMargin(spec.Number("m1"), spec.Number("m2"), spec.Number("m3"), spec.Choice<MarginWrap>("wrap"), spec.Choice<MarginGradient>("gradient")),
    };

    private static ThresholdCrossEntropy Threshold(LossSpec spec, HeadShape shape, int biases) => new(
        biases,
        spec.NumberOrAuto("bias") ?? Math.Log(10.0 * shape.Classes * spec.Number("negative-rate")),
        spec.Number("scale"),
        spec.Number("lambda"),
        spec.Flag("clamp"),
        shape.Dtype);
}
