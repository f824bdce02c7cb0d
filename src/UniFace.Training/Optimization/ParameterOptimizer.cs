using TorchSharp;
using UniFace.Training.Kernels;
using static TorchSharp.torch;

namespace UniFace.Training.Optimization;

/// <summary>
/// Moves parameters along their gradients. Its state is tensors by name, so that a checkpoint is exact.
/// A step may use the gradients up: weight decay may be added to them in place.
/// </summary>
public abstract class ParameterOptimizer : IDisposable
{
    private readonly Dictionary<string, Tensor> state = new(StringComparer.Ordinal);

    /// <summary>An optimizer of the given parameters.</summary>
    private protected ParameterOptimizer(IReadOnlyList<NamedParameter> parameters, double weightDecay)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        ArgumentOutOfRangeException.ThrowIfNegative(weightDecay);
        Parameters = parameters;
        WeightDecay = weightDecay;
    }

    /// <summary>The parameters it moves.</summary>
    public IReadOnlyList<NamedParameter> Parameters { get; }

    /// <summary>Factor of the weight decay.</summary>
    public double WeightDecay { get; }

    /// <summary>Steps taken; the bias correction of AdamW depends on it.</summary>
    public long Steps { get; private set; }

    /// <summary>The state by name, e.g. "momentum.backbone.conv1.weight"; owned by the optimizer.</summary>
    public IReadOnlyDictionary<string, Tensor> State => state;

    /// <summary>Moves every parameter that has a gradient: those in the processor's memory in one pass over it.</summary>
    /// <param name="learningRate">The rate of this step.</param>
    public void Step(double learningRate)
    {
        Steps++;
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGradient = no_grad();
        List<Stretch> stretches = [];
        foreach (NamedParameter parameter in Parameters)
        {
            Tensor? gradient = parameter.Value.grad;
            if (gradient is null)
            {
                continue;
            }

            if (!Stretch.TryAdd(stretches, parameter.Value, gradient, [.. StateKinds.Select(kind => StateOf(kind, parameter))], parameter.Decays))
            {
                Update(parameter, gradient, learningRate);
            }
        }

        Team.Run(stretches.Count, i => Update(stretches[i], learningRate));
    }

    /// <summary>
    /// Lets go of every gradient: the next backward pass then gives each parameter its gradient as it is, instead of adding it to zeros.
    /// </summary>
    public void ClearGradients()
    {
        foreach (NamedParameter parameter in Parameters)
        {
            parameter.Value.grad = null;
        }
    }

    /// <summary>Takes over a checkpoint's state: the tensors are copied onto the parameters' device.</summary>
    /// <param name="steps">Steps taken until then.</param>
    /// <param name="saved">The state by name.</param>
    /// <exception cref="UniFaceException">A tensor belongs to no parameter, or has another shape.</exception>
    public void Restore(long steps, IReadOnlyDictionary<string, Tensor> saved)
    {
        ArgumentNullException.ThrowIfNull(saved);
        Clear();
        Dictionary<string, NamedParameter> known = Parameters.ToDictionary(p => p.Name, StringComparer.Ordinal);
        foreach ((string name, Tensor value) in saved)
        {
            string parameterName = name[(name.IndexOf('.', StringComparison.Ordinal) + 1)..];
            if (!known.TryGetValue(parameterName, out NamedParameter? parameter) || !parameter.Value.shape.SequenceEqual(value.shape))
            {
                throw new UniFaceException($"The checkpoint's optimizer state '{name}' [{string.Join(", ", value.shape)}] fits no parameter of this model.");
            }

            using DisposeScope scope = NewDisposeScope();
            using IDisposable noGradient = no_grad();
            state[name] = zeros_like(parameter.Value).copy_(value).DetachFromDisposeScope(); // In the parameter's own order in memory.
        }

        Steps = steps;
    }

    /// <summary>Disposes the state.</summary>
    public void Dispose()
    {
        Clear();
        GC.SuppressFinalize(this);
    }

    /// <summary>What it keeps of each parameter, by <see cref="StateOf"/>; two at most.</summary>
    private protected abstract IReadOnlyList<string> StateKinds { get; }

    /// <summary>Moves one parameter by libtorch's operators, wherever it is; the gradient may be changed.</summary>
    private protected abstract void Update(NamedParameter parameter, Tensor gradient, double learningRate);

    /// <summary>Moves a stretch of a parameter in the processor's memory, to the same values.</summary>
    private protected abstract void Update(in Stretch stretch, double learningRate);

    /// <summary>A state tensor of a parameter; zeros at first.</summary>
    private protected Tensor StateOf(string kind, NamedParameter parameter)
    {
        ArgumentNullException.ThrowIfNull(parameter);
        string name = $"{kind}.{parameter.Name}";
        if (!state.TryGetValue(name, out Tensor? value))
        {
            value = zeros_like(parameter.Value).DetachFromDisposeScope();
            state[name] = value;
        }

        return value;
    }

    private void Clear()
    {
        foreach (Tensor value in state.Values)
        {
            value.Dispose();
        }

        state.Clear();
    }
}
