using TorchSharp;
using UniFace.Training.Losses.Registry;
using static TorchSharp.torch;

namespace UniFace.Training.Losses;

/// <summary>Every loss by its name, and heads made from them.</summary>
public static class LossRegistry
{
    private static readonly string[] Order =
    [
        "softmax", "normface", "sphereface", "sphereface-r", "cosface", "arcface", "combined", "uce", "bce", "curricularface", "magface", "adaface",
        "elasticface-arc", "elasticface-cos", "mv-arc", "mv-am", "circle", "adacos", "sphereface2", "subcenter-arcface",
    ];

    /// <summary>All losses, from the plainest on.</summary>
    public static IReadOnlyList<LossDescriptor> All { get; } =
    [
        .. new[] { SoftmaxLosses.All, SphereLosses.All, AdaptiveLosses.All, ThresholdLosses.All }
            .SelectMany(family => family)
            .OrderBy(loss => Array.IndexOf(Order, loss.Name)),
    ];

    /// <summary>The names, in the order of <see cref="All"/>.</summary>
    public static IEnumerable<string> Names => All.Select(d => d.Name);

    /// <summary>A loss by its name.</summary>
    /// <exception cref="UniFaceException">There is none; the message lists those that there are.</exception>
    public static LossDescriptor Find(string name) => All.FirstOrDefault(d => d.Name == name)
        ?? throw new UniFaceException($"there is no loss '{name}'; the losses are {string.Join(", ", Names)}.");

    /// <summary>A fresh head: class centers, margin and objective. The caller owns it.</summary>
    /// <param name="spec">Which loss.</param>
    /// <param name="classes">Number of classes (people).</param>
    /// <param name="embeddingSize">Values in an embedding.</param>
    /// <param name="seed">Seed of the centers' start and of all draws.</param>
    /// <param name="dtype">float32, or float64 for checks; parameters, state and arithmetic.</param>
    /// <param name="device">Where it lives; the CPU if null.</param>
    /// <param name="centers">How the class centers are stored: as <paramref name="dtype"/> if null, or bfloat16, on the CPU only.</param>
    /// <exception cref="UniFaceException">Too few classes for the loss, or an embedding size below 1.</exception>
    public static RecognitionHead Create(LossSpec spec, int classes, int embeddingSize, long seed, ScalarType dtype = ScalarType.Float32, Device? device = null, ScalarType? centers = null)
    {
        ArgumentNullException.ThrowIfNull(spec);
        LossDescriptor descriptor = Find(spec.Name);
        if (classes < descriptor.MinimumClasses)
        {
            throw new UniFaceException($"loss '{spec.Name}' needs at least {descriptor.MinimumClasses} people to tell apart; there {(classes == 1 ? "is 1" : $"are {classes}")}.");
        }

        if (embeddingSize < 1)
        {
            throw new UniFaceException($"embedding size {embeddingSize} is not allowed; it is at least 1 (usual: 128 to 512).");
        }

        if (dtype is not (ScalarType.Float32 or ScalarType.Float64))
        {
            throw new ArgumentException($"A head computes in float32 or float64, not in {dtype}.", nameof(dtype));
        }

        bool onCpu = device is null || device.type == DeviceType.CPU;
        if (centers == ScalarType.BFloat16 && !onCpu)
        {
            throw new UniFaceException($"class centers are stored in bfloat16 on the CPU only, and the device is {device}; use --center-dtype float32.");
        }

        int subCenters = spec.Has("subcenters") ? (int)spec.Number("subcenters") : 1;
        ClassCenters rows = new(classes, embeddingSize, subCenters, spec.Number("negative-rate"), seed, centers ?? dtype, descriptor.Similarity);
        (Margins.Margin margin, Objectives.Objective objective) = descriptor.Build(spec, new HeadShape(classes, seed, dtype));
        RecognitionHead head = new(spec.Name, rows, margin, objective);
        return onCpu ? head : head.to(device!);
    }
}
