using UniFace.Training.Losses.Margins;
using UniFace.Training.Losses.Objectives;
using static UniFace.Training.Losses.Registry.Hyperparameters;

namespace UniFace.Training.Losses.Registry;

/// <summary>Softmax cross-entropy with a fixed scale and a margin that is the same for all samples.</summary>
internal static class SoftmaxLosses
{
    public static IReadOnlyList<LossDescriptor> All { get; } =
    [
        new("softmax", "Softmax cross-entropy of raw inner products, without normalisation, bias or margin.",
            "the classifier of DeepFace: Taigman et al., CVPR 2014", [NegativeRate])
        {
            Similarity = Similarity.InnerProduct,
            Build = (spec, shape) => (new NoMargin(), Softmax(1)),
        },
        new("normface", "Softmax cross-entropy of scaled cosines, without a margin.",
            "Wang et al., NormFace, ACM Multimedia 2017", [Scale(64), NegativeRate])
        {
            Build = (spec, shape) => (new NoMargin(), Softmax(spec)),
        },
        new("cosface", "A margin subtracted from the target cosine.",
            "Wang et al., CosFace, CVPR 2018; Wang et al., AM-Softmax, SPL 2018", [CosineMargin(0.35), Scale(64), NegativeRate])
        {
            Build = (spec, shape) => (new CosineMargin(spec.Number("margin")), Softmax(spec)),
        },
        new("arcface", "A margin added to the target angle.",
            "Deng et al., ArcFace, CVPR 2019", [AngularMargin(0.5), Scale(64), Wrap("guard"), Gradient("chain"), NegativeRate])
        {
            Build = (spec, shape) => (Arc(spec), Softmax(spec)),
        },
        new("combined", "All three margins at once: cos(m1 * theta + m2) - m3.",
            "Deng et al., ArcFace, CVPR 2019",
            [
                Number("m1", 1, 0.1, 10, "m1, factor on the target angle.", "0.9 to 1.2").Harder(),
                Number("m2", 0.3, 0, 1.5, "m2, added to the target angle, in radians.").Harder(),
                Number("m3", 0.2, 0, 1.5, "m3, subtracted from the target cosine.").Harder(),
                Scale(64),
                Wrap("plain"),
                Gradient("chain"),
                NegativeRate,
            ])
        {
            Build = (spec, shape) => (
                new AngularMargin(spec.Number("m1"), spec.Number("m2"), spec.Number("m3"), spec.Choice<MarginWrap>("wrap"), spec.Choice<MarginGradient>("gradient")),
                Softmax(spec)),
        },
        new("subcenter-arcface", "ArcFace with several centers a class; the nearest counts, so label noise gathers at the others.",
            "Deng et al., Sub-center ArcFace, ECCV 2020",
            [
                AngularMargin(0.5),
                Scale(64),
                new LossHyperparameter("subcenters", HyperparameterKind.Whole, "3", "K, centers a class.") { Minimum = 1, Maximum = 16 },
                Wrap("guard"),
                Gradient("chain"),
                NegativeRate,
            ])
        {
            Build = (spec, shape) => (Arc(spec), Softmax(spec)),
        },
    ];

    internal static SoftmaxCrossEntropy Softmax(LossSpec spec) => Softmax(spec.Number("scale"));

    internal static SoftmaxCrossEntropy Softmax(double scale) => new(new FixedScale(scale));

    internal static AngularMargin Arc(LossSpec spec) =>
        new(1, spec.Number("margin"), 0, spec.Choice<MarginWrap>("wrap"), spec.Choice<MarginGradient>("gradient"));
}
