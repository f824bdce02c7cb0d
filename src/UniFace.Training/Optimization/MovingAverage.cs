namespace UniFace.Training.Optimization;

/// <summary>
/// Exponential moving average of a module's parameters: shadow = decay * shadow + (1 - decay) * value after each step,
/// with the decay warmed up as min(decay, (1 + n) / (10 + n)), so that the first steps do not dominate.
/// Buffers (running means and variances) are averages already and are not averaged again.
/// </summary>
/// <param name="module">The module, at whose values the average starts; not owned.</param>
/// <param name="decay">The decay after warm-up, between 0 and 1, for example 0.999.</param>
internal sealed class MovingAverage(nn.Module module, double decay) : IDisposable
{
    private readonly Dictionary<string, Tensor> shadow = Copies(module);

    /// <summary>The averaged parameters by name; owned by this.</summary>
    public IReadOnlyDictionary<string, Tensor> Values => shadow;

    /// <summary>Adds the parameters after a step.</summary>
    /// <param name="steps">Steps taken, including this one.</param>
    public void Update(long steps)
    {
        double warmed = Math.Min(decay, (1.0 + steps) / (10.0 + steps));
        using NoGradScope scope = new();
        List<ParameterSlice> slices = [];
        foreach ((string name, Parameter value) in module.named_parameters())
        {
            if (!ParameterSlice.TryAdd(slices, shadow[name], value))
            {
                shadow[name].mul_(warmed).add_(value, alpha: 1 - warmed);
            }
        }

        WorkerThreads.For(slices.Count, i => OptimizerKernels.Average(slices[i], (float)warmed));
    }

    /// <summary>Restores the averages from a checkpoint.</summary>
    public void Restore(IReadOnlyDictionary<string, Tensor> saved)
    {
        using NoGradScope scope = new();
        foreach ((string name, Tensor value) in shadow)
        {
            if (!saved.TryGetValue(name, out Tensor? from) || !from.shape.SequenceEqual(value.shape))
            {
                throw new UniFaceException($"The checkpoint has no moving average of '{name}' with this model's shape.");
            }

            value.copy_(from);
        }
    }

    /// <summary>Swaps the module's parameters with the averages; a second call swaps them back.</summary>
    public void Swap()
    {
        using NoGradScope scope = new();
        foreach ((string name, Parameter value) in module.named_parameters())
        {
            using Tensor held = value.detach().clone();
            value.copy_(shadow[name]);
            shadow[name].copy_(held);
        }
    }

    private static Dictionary<string, Tensor> Copies(nn.Module module)
    {
        using NoGradScope scope = new();
        return module.named_parameters().ToDictionary(p => p.name, p => p.parameter.detach().clone().DetachFromDisposeScope());
    }

    /// <summary>Disposes the averages.</summary>
    public void Dispose()
    {
        foreach (Tensor value in shadow.Values)
        {
            value.Dispose();
        }

        shadow.Clear();
    }
}
