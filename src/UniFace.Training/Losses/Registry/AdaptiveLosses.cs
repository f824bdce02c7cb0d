using UniFace.Training.Losses.Margins;
using UniFace.Training.Losses.Objectives;
using static UniFace.Training.Losses.Registry.Hyperparameters;

namespace UniFace.Training.Losses.Registry;

/// <summary>Softmax losses whose margin or scale differs by sample, by hardness, by quality, or by how far training is.</summary>
internal static class AdaptiveLosses
{
    public static IReadOnlyList<LossDescriptor> All { get; } =
    [
        new("curricularface", "ArcFace that weighs hard negatives more the further training is.",
            "Huang et al., CurricularFace, CVPR 2020",
            [
                AngularMargin(0.5),
                Scale(64),
                Number("t-momentum", 0.01, 0, 1, "Share of the new batch in t, the running mean of the target cosines.", "0.01"),
                Wrap("guard"),
                Gradient("chain"),
                NegativeRate,
            ])
        {
            Build = (spec, shape) => (
                new CurricularMargin(spec.Number("margin"), spec.Number("t-momentum"), spec.Choice<MarginWrap>("wrap"), spec.Choice<MarginGradient>("gradient"), shape.Dtype),
                SoftmaxLosses.Softmax(spec)),
        },
        new("magface", "ArcFace whose margin grows with the embedding's length, which becomes the picture's quality.",
            "Meng et al., MagFace, CVPR 2021",
            [
                Number("la", 10, 0, 1000, "Shortest length that counts.", above: true),
                Number("ua", 110, 0, 10_000, "Longest length that counts; more than la.", above: true),
                Number("lm", 0.45, 0, 1.5, "Margin at the shortest length, in radians.").Harder(),
                Number("um", 0.8, 0, 1.5, "Margin at the longest length, in radians.").Harder(),
                Number("lambda-g", 35, 0, 10_000, "Factor on the regulariser that rewards length."),
                Scale(64),
                Wrap("easy"),
                Gradient("chain"),
                NegativeRate,
            ])
        {
            Build = (spec, shape) => (Magnitude(spec), SoftmaxLosses.Softmax(spec)),
        },
        new("adaface", "A margin that is angular for bad pictures and on the cosine for good ones, by the embedding's length.",
            "Kim, Jain and Liu, AdaFace, CVPR 2022",
            [
                Number("margin", 0.4, 0, 1.5, "m.", "0.4").Harder(),
                Number("h", 0.333, 0, 10, "Concentration: the margin changes within 1 / h standard deviations of the length.", "0.333"),
                Number("t-alpha", 0.01, 0, 1, "Share of the new batch in the running mean and deviation of the length.", "0.01"),
                Scale(64),
                Gradient("chain"),
                NegativeRate,
            ])
        {
            Build = (spec, shape) => (
                new AdaptiveMargin(spec.Number("margin"), spec.Number("h"), spec.Number("t-alpha"), spec.Choice<MarginGradient>("gradient"), shape.Dtype),
                SoftmaxLosses.Softmax(spec)),
        },
        new("elasticface-arc", "ArcFace whose margin is drawn anew for each sample.",
            "Boutros et al., ElasticFace, CVPR Workshops 2022",
            [AngularMargin(0.5), Sigma, Plus, Scale(64), Wrap("guard"), Gradient("chain"), NegativeRate])
        {
            Build = (spec, shape) => (
                new ElasticMargin(true, spec.Number("margin"), spec.Number("sigma"), spec.Flag("plus"), spec.Choice<MarginWrap>("wrap"), spec.Choice<MarginGradient>("gradient"), shape.Seed),
                SoftmaxLosses.Softmax(spec)),
        },
        new("elasticface-cos", "CosFace whose margin is drawn anew for each sample.",
            "Boutros et al., ElasticFace, CVPR Workshops 2022",
            [CosineMargin(0.35), Sigma, Plus, Scale(64), NegativeRate])
        {
            Build = (spec, shape) => (
                new ElasticMargin(false, spec.Number("margin"), spec.Number("sigma"), spec.Flag("plus"), MarginWrap.Plain, MarginGradient.Chain, shape.Seed),
                SoftmaxLosses.Softmax(spec)),
        },
        new("mv-arc", "ArcFace that raises the logits of classes nearer than the target with its margin.",
            "Wang et al., MV-Softmax, AAAI 2020",
            [AngularMargin(0.5), Scale(32), HardWeight, Mode, Wrap("easy"), Gradient("chain"), NegativeRate])
        {
            Build = (spec, shape) => (Misclassified(spec, true, spec.Choice<MarginGradient>("gradient")), SoftmaxLosses.Softmax(spec)),
        },
        new("mv-am", "CosFace that raises the logits of classes nearer than the target with its margin.",
            "Wang et al., MV-Softmax, AAAI 2020",
            [CosineMargin(0.35), Scale(32), HardWeight, Mode, Wrap("easy"), NegativeRate])
        {
            Build = (spec, shape) => (Misclassified(spec, false, MarginGradient.Chain), SoftmaxLosses.Softmax(spec)),
        },
        new("circle", "Each similarity weighs as much as it is far from its optimum.",
            "Sun et al., Circle Loss, CVPR 2020",
            [Number("margin", 0.25, 0, 1, "m, the circle's radius: targets aim above 1 - m, others below m.", "0.25").Harder(), Scale(256, "64 to 256"), NegativeRate])
        {
            Build = (spec, shape) => (new CircleMargin(spec.Number("margin")), SoftmaxLosses.Softmax(spec)),
        },
        new("adacos", "NormFace whose scale follows the training by itself.",
            "Zhang et al., AdaCos, CVPR 2019",
            [Flag("dynamic", true, "Updates the scale at every step; else it stays at sqrt(2) * ln(C - 1)."), NegativeRate])
        {
            MinimumClasses = 3,
            Build = (spec, shape) => (new NoMargin(), new SoftmaxCrossEntropy(new AdaptiveScale(shape.Classes, spec.Flag("dynamic"), shape.Dtype))),
        },
    ];

    private static LossHyperparameter Sigma => Number("sigma", 0.05, 0, 0.5, "Standard deviation of the margins.", "0.0125 to 0.05");

    private static LossHyperparameter Plus => Flag("plus", false, "ElasticFace+: a batch's margins go by rank, the largest to the smallest target cosine.");

    private static LossHyperparameter HardWeight => Number("t", 0.2, 0, 10, "t, how much a nearer class is raised.", "0.1 to 0.3");

    private static LossHyperparameter Mode => Choice("mode", "adaptive", "Raises by (t + 1) * c + t, or fixed by c + t.", "adaptive", "fixed");

    private static MagnitudeMargin Magnitude(LossSpec spec)
    {
        if (spec.Number("ua") <= spec.Number("la"))
        {
            throw new UniFaceException($"loss 'magface': ua = {spec.Text("ua")} must be above la = {spec.Text("la")} (usual: la 10, ua 110).");
        }

        return new MagnitudeMargin(
            spec.Number("la"), spec.Number("ua"), spec.Number("lm"), spec.Number("um"), spec.Number("lambda-g"), spec.Choice<MarginWrap>("wrap"), spec.Choice<MarginGradient>("gradient"));
    }

    private static MisclassifiedMargin Misclassified(LossSpec spec, bool angular, MarginGradient gradient) =>
        new(angular, spec.Number("margin"), spec.Number("t"), spec.Text("mode") == "adaptive", spec.Choice<MarginWrap>("wrap"), gradient);
}
