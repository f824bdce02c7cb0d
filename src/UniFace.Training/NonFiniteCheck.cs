using TorchSharp;
using UniFace.Training.Checkpoints;
using UniFace.Training.Optimization;
using static TorchSharp.torch;

namespace UniFace.Training;

/// <summary>Finds the first tensor that is not finite; only called once something is known to be wrong.</summary>
internal static class NonFiniteCheck
{
    /// <summary>True where every value is finite. One transfer from the device.</summary>
    public static bool IsFinite(Tensor tensor)
    {
        using Tensor finite = tensor.isfinite();
        using Tensor all = finite.all();
        return all.item<bool>();
    }

    /// <summary>Names what is not finite among the weights, or null. One transfer from the device where all is well.</summary>
    public static string? BadWeights(IReadOnlyList<NamedParameter> parameters)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGradient = no_grad();
        double norm = stack(parameters.Select(p => p.Value.norm().to(ScalarType.Float32)).ToList()).norm().item<float>();
        return double.IsFinite(norm) ? null : FirstBad(parameters) ?? $"the norm of all weights ({norm})";
    }

    /// <summary>The first parameter whose value is not finite, else the first whose gradient is not; null where all are finite.</summary>
    public static string? FirstBad(IReadOnlyList<NamedParameter> parameters)
    {
        foreach (NamedParameter parameter in parameters)
        {
            if (!IsFinite(parameter.Value))
            {
                return $"the weights {parameter.Name}";
            }
        }

        // The backward pass runs from the head to the first layer: the last bad gradient of the backbone is the first that went bad.
        foreach (NamedParameter parameter in parameters.Where(p => p.Name.StartsWith(Checkpoint.HeadPrefix, StringComparison.Ordinal)).Concat(parameters.Reverse()))
        {
            using Tensor? gradient = parameter.Value.grad;
            if (gradient is not null && !IsFinite(gradient))
            {
                return $"the gradient of {parameter.Name}";
            }
        }

        return null;
    }

    /// <summary>The sentence for the user.</summary>
    public static UniFaceException Error(string what, long step, int epoch, TrainOptions options, IEnumerable<string> pictures, long checkpointStep)
    {
        string[] names = [.. pictures];
        string batch = string.Join(", ", names.Take(8)) + (names.Length > 8 ? $" and {names.Length - 8} more" : "");
        string[] advice = [.. options.Loss.OptionsToLower, FormattableString.Invariant($"--lr (now {options.LearningRate})")];
        return new UniFaceException(
            $"step {step + 1}, epoch {epoch + 1}: {what} is not finite; nothing after step {checkpointStep} was kept (last.ckpt is good). " +
            $"Lower {string.Join(", ", advice)} or lengthen --warmup, in a new run. Pictures of the batch: {batch}.");
    }
}
