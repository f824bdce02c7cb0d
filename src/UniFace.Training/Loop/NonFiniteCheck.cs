namespace UniFace.Training.Loop;

/// <summary>Finds the first tensor that is not finite.</summary>
internal static class NonFiniteCheck
{
    /// <summary>True if every value is finite. One transfer from the device.</summary>
    public static bool IsFinite(Tensor tensor)
    {
        using Tensor finite = tensor.isfinite();
        using Tensor all = finite.all();
        return all.item<bool>();
    }

    /// <summary>Names the first weights that are not finite, or null. One transfer from the device if all are finite.</summary>
    public static string? BadWeights(IReadOnlyList<NamedParameter> parameters)
    {
        using NoGradScope scope = new();
        double norm = stack(parameters.Select(p => p.Value.norm().to(ScalarType.Float32)).ToList()).norm().item<float>();
        return double.IsFinite(norm) ? null : FirstBad(parameters) ?? $"the norm of all weights ({norm})";
    }

    /// <summary>The first parameter whose value is not finite, else the first whose gradient is not, else null.</summary>
    public static string? FirstBad(IReadOnlyList<NamedParameter> parameters)
    {
        if (parameters.FirstOrDefault(parameter => !IsFinite(parameter.Value)) is NamedParameter weights)
        {
            return $"the weights {weights.Name}";
        }

        // The backward pass runs from the head to the first layer, so the gradients are searched in that order.
        IEnumerable<NamedParameter> head = parameters.Where(p => p.Name.StartsWith(Checkpoint.HeadPrefix, StringComparison.Ordinal));
        return head.Concat(parameters.Reverse()).FirstOrDefault(HasBadGradient) is NamedParameter bad ? $"the gradient of {bad.Name}" : null;
    }

    private static bool HasBadGradient(NamedParameter parameter)
    {
        using Tensor? gradient = parameter.Value.grad;
        return gradient is not null && !IsFinite(gradient);
    }

    /// <summary>The error message.</summary>
    public static UniFaceException Error(
        string what, long step, int epoch, TrainOptions options, IEnumerable<string> images, long checkpointStep)
    {
        string[] names = [.. images];
        string batch = string.Join(", ", names.Take(8)) + (names.Length > 8 ? $" and {names.Length - 8} more" : "");
        string[] advice = [.. options.Loss.HyperparametersToLower, FormattableString.Invariant($"learning rate (now {options.LearningRate})")];
        return new UniFaceException(
            $"step {step + 1}, epoch {epoch + 1}: {what} is not finite; nothing after step {checkpointStep} was kept (last.ckpt is good). " +
            $"Lower the {string.Join(", ", advice)} or lengthen the warm-up, in a new run. Images of the batch: {batch}.");
    }
}
