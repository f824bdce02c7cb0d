using TorchSharp;
using static TorchSharp.torch;

namespace UniFace.Training.Optimization;

/// <summary>
/// Moves parameters along their gradients. Its state is tensors by name, so that a checkpoint is exact.
/// A step uses the gradients up: weight decay is added to them in place.
/// </summary>
public abstract class ParameterOptimizer : IDisposable
{
    private readonly Dictionary<string, Tensor> state = new(StringComparer.Ordinal);

    /// <summary>An optimizer of the given parameters.</summary>
    protected ParameterOptimizer(IReadOnlyList<NamedParameter> parameters, double weightDecay)
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

    /// <summary>Moves every parameter that has a gradient.</summary>
    /// <param name="learningRate">The rate of this step.</param>
    public void Step(double learningRate)
    {
        Steps++;
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGradient = no_grad();
        foreach (NamedParameter parameter in Parameters)
        {
            Tensor? gradient = parameter.Value.grad;
            if (gradient is not null)
            {
                Update(parameter, gradient, learningRate);
            }
        }
    }

    /// <summary>Sets every gradient to zero, in place.</summary>
    public void ZeroGradients()
    {
        using DisposeScope scope = NewDisposeScope();
        foreach (NamedParameter parameter in Parameters)
        {
            Tensor? gradient = parameter.Value.grad;
            gradient?.zero_();
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
            state[name] = value.to(parameter.Value.device).clone().DetachFromDisposeScope();
        }

        Steps = steps;
    }

    /// <summary>Disposes the state.</summary>
    public void Dispose()
    {
        Clear();
        GC.SuppressFinalize(this);
    }

    /// <summary>Moves one parameter; the gradient may be changed.</summary>
    protected abstract void Update(NamedParameter parameter, Tensor gradient, double learningRate);

    /// <summary>A state tensor of a parameter; zeros at first.</summary>
    protected Tensor StateOf(string kind, NamedParameter parameter)
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
