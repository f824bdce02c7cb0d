using static TorchSharp.torch;

namespace UniFace.Training.Optimization;

/// <summary>
/// Exponential moving average of a module's parameters: shadow = decay * shadow + (1 - decay) * value after each step,
/// with the decay warmed up as min(decay, (1 + n) / (10 + n)), so that the first steps do not dominate.
/// Buffers (running means and variances) are averages already and are not averaged again.
/// </summary>
internal sealed class MovingAverage : IDisposable
{
    private readonly nn.Module module;
    private readonly Dictionary<string, Tensor> shadow = new(StringComparer.Ordinal);

    /// <summary>An average that starts at the module's values.</summary>
    /// <param name="module">The module; not owned.</param>
    /// <param name="decay">Between 0 and 1, for example 0.999.</param>
    public MovingAverage(nn.Module module, double decay)
    {
        this.module = module;
        Decay = decay;
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGradient = no_grad();
        foreach ((string name, Parameter value) in module.named_parameters())
        {
            shadow[name] = value.detach().clone().DetachFromDisposeScope();
        }
    }

    /// <summary>The decay after warm-up.</summary>
    public double Decay { get; }

    /// <summary>The averaged parameters by name; owned by this.</summary>
    public IReadOnlyDictionary<string, Tensor> Values => shadow;

    /// <summary>Adds the parameters after a step.</summary>
    /// <param name="steps">Steps taken, including this one.</param>
    public void Update(long steps)
    {
        double decay = Math.Min(Decay, (1.0 + steps) / (10.0 + steps));
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGradient = no_grad();
        List<ParameterSlice> slices = [];
        foreach ((string name, Parameter value) in module.named_parameters())
        {
            if (!ParameterSlice.TryAdd(slices, shadow[name], value))
            {
                shadow[name].mul_(decay).add_(value, alpha: 1 - decay);
            }
        }

        WorkerThreads.For(slices.Count, i => OptimizerKernels.Average(slices[i], (float)decay));
    }

    /// <summary>Restores the averages from a checkpoint.</summary>
    public void Restore(IReadOnlyDictionary<string, Tensor> saved)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGradient = no_grad();
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
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGradient = no_grad();
        foreach ((string name, Parameter value) in module.named_parameters())
        {
            using Tensor held = value.detach().clone();
            value.copy_(shadow[name]);
            shadow[name].copy_(held);
        }
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
