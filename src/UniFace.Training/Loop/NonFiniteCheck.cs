namespace UniFace.Training.Loop;

/// <summary>A loss, gradient or weight is not finite.</summary>
/// <param name="what">The first tensor that is not finite: "the gradient of head.objective.bias".</param>
/// <param name="samples">The samples of the batches that were being processed.</param>
internal sealed class NonFiniteException(string what, IEnumerable<int> samples) : Exception($"{what} is not finite")
{
    /// <summary>The samples of the batches that were being processed.</summary>
    public IReadOnlyList<int> Samples { get; } = [.. samples];
}

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

    /// <summary>Checks that all weights are finite. One transfer from the device if they are.</summary>
    /// <exception cref="NonFiniteException">They are not.</exception>
    public static void RequireFinite(IReadOnlyList<NamedParameter> parameters)
    {
        using NoGradScope scope = new();
        double norm = stack(parameters.Select(p => p.Value.norm().to(ScalarType.Float32)).ToList()).norm().item<float>();
        if (!double.IsFinite(norm))
        {
            throw new NonFiniteException(FindFirst(parameters) ?? $"the norm of all weights ({norm})", []);
        }
    }

    /// <summary>The first parameter whose value is not finite, else the first whose gradient is not, else null.</summary>
    public static string? FindFirst(IReadOnlyList<NamedParameter> parameters)
    {
        if (parameters.FirstOrDefault(parameter => !IsFinite(parameter.Value)) is NamedParameter weights)
        {
            return $"the weights {weights.Name}";
        }

        // The backward pass runs from the head to the first layer, so the gradients are searched in that order.
        IEnumerable<NamedParameter> head = parameters.Where(p => p.Name.StartsWith(Checkpoint.HeadPrefix, StringComparison.Ordinal));
        return head.Concat(parameters.Reverse()).FirstOrDefault(HasNonFiniteGradient) is NamedParameter first ? $"the gradient of {first.Name}" : null;
    }

    private static bool HasNonFiniteGradient(NamedParameter parameter)
    {
        using Tensor? gradient = parameter.Value.grad;
        return gradient is not null && !IsFinite(gradient);
    }
}
