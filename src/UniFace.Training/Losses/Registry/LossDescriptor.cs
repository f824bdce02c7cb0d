namespace UniFace.Training.Losses.Registry;

/// <summary>A loss of the registry, as it is shown to people: where it is from and what can be chosen.</summary>
/// <param name="Name">Its name on the command line.</param>
/// <param name="Description">What it does, in one sentence.</param>
/// <param name="Paper">Authors, venue and year.</param>
/// <param name="Hyperparameters">What can be chosen, in the order in which specifications write it.</param>
public sealed record LossDescriptor(string Name, string Description, string Paper, IReadOnlyList<LossHyperparameter> Hyperparameters)
{
    /// <summary>The smallest number of classes that the loss can train.</summary>
    public int MinimumClasses { get; init; } = 2;

    internal Func<LossSpec, HeadShape, (Margins.Margin Margin, Objectives.Objective Objective)> Build { get; init; } =
        (spec, _) => throw new InvalidOperationException($"Loss '{spec.Name}' has no builder.");

    /// <summary>Class centers as this loss compares them: by cosine but for the plain softmax.</summary>
    internal Similarity Similarity { get; init; } = Similarity.Cosine;

    /// <summary>The hyperparameter names, each once.</summary>
    public IEnumerable<string> HyperparameterNames => Hyperparameters.Select(h => h.Name).Distinct();
}

/// <summary>What a margin or objective may need to know of the head that it is built for.</summary>
/// <param name="Classes">Number of classes.</param>
/// <param name="Seed">The seed of all randomness.</param>
/// <param name="Dtype">float32 or float64.</param>
internal sealed record HeadShape(int Classes, long Seed, TorchSharp.torch.ScalarType Dtype);
