using TorchSharp;
using TorchSharp.Modules;
using UniFace.Training.Kernels;
using static TorchSharp.torch;

namespace UniFace.Training.Optimization;

/// <summary>
/// Exponential moving average of a module's parameters: shadow = decay * shadow + (1 - decay) * value after each step,
/// with the decay warmed up as min(decay, (1 + n) / (10 + n)) so that the first steps do not weigh for ever.
/// Buffers (running means and variances) are averages already and are taken from the module as they are.
/// </summary>
public sealed class MovingAverage : IDisposable
{
    private readonly nn.Module module;
    private readonly Dictionary<string, Tensor> shadow = new(StringComparer.Ordinal);

    /// <summary>An average that begins at the module's values.</summary>
    /// <param name="module">The module; not owned.</param>
    /// <param name="decay">Between 0 and 1, 0.999 for instance.</param>
    public MovingAverage(nn.Module module, double decay)
    {
        ArgumentNullException.ThrowIfNull(module);
        this.module = module;
        Decay = decay;
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGradient = no_grad();
        foreach ((string name, Parameter value) in module.named_parameters())
        {
            shadow[name] = value.detach().clone().DetachFromDisposeScope();
        }
    }

    /// <summary>The decay, once warm.</summary>
    public double Decay { get; }

    /// <summary>The averaged parameters by name; owned by this.</summary>
    public IReadOnlyDictionary<string, Tensor> Values => shadow;

    /// <summary>Takes a step's parameters in.</summary>
    /// <param name="steps">Steps taken, this one included.</param>
    public void Update(long steps)
    {
        double decay = Math.Min(Decay, (1.0 + steps) / (10.0 + steps));
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGradient = no_grad();
        List<Stretch> stretches = [];
        foreach ((string name, Parameter value) in module.named_parameters())
        {
            if (!Stretch.TryAdd(stretches, shadow[name], value))
            {
                shadow[name].mul_(decay).add_(value, alpha: 1 - decay);
            }
        }

        Team.Run(stretches.Count, i => Elements.Average(stretches[i], (float)decay));
    }

    /// <summary>Takes over the averages of a checkpoint.</summary>
    public void Restore(IReadOnlyDictionary<string, Tensor> saved)
    {
        ArgumentNullException.ThrowIfNull(saved);
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGradient = no_grad();
        foreach ((string name, Tensor value) in shadow)
        {
            if (!saved.TryGetValue(name, out Tensor? from) || !from.shape.SequenceEqual(value.shape))
            {
                throw new UniFaceException($"The checkpoint has no moving average of '{name}' in this model's shape.");
            }

            value.copy_(from);
        }
    }

    /// <summary>Exchanges the module's parameters with the averages; a second call changes them back.</summary>
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
