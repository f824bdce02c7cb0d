namespace UniFace.Training.Optimization;

/// <summary>
/// Updates parameters from their gradients. Its state is tensors by name, so that a checkpoint is exact. A step may change the gradients:
/// weight decay may be added to them in place.
/// </summary>
/// <param name="parameters">The parameters.</param>
/// <param name="weightDecay">Factor of the weight decay.</param>
internal abstract class ParameterOptimizer(IReadOnlyList<NamedParameter> parameters, double weightDecay) : IDisposable
{
    private readonly Dictionary<string, Tensor> state = [];

    /// <summary>The parameters.</summary>
    public IReadOnlyList<NamedParameter> Parameters => parameters;

    /// <summary>Factor of the weight decay.</summary>
    public double WeightDecay => weightDecay;

    /// <summary>Steps taken, including those skipped.</summary>
    public long Steps { get; private set; }

    /// <summary>Steps that have updated nothing.</summary>
    public long Skipped { get; private set; }

    /// <summary>The state by name, for example "momentum.backbone.conv1.weight"; owned by the optimizer.</summary>
    public IReadOnlyDictionary<string, Tensor> State => state;

    /// <summary>Updates every parameter that has a gradient.</summary>
    /// <param name="learningRate">The rate of this step.</param>
    public void Step(double learningRate)
    {
        Steps++;
        using NoGradScope scope = new();
        List<ParameterSlice> slices = [];
        List<double> rates = []; // by slice
        foreach (NamedParameter parameter in Parameters)
        {
            if (parameter.Value.grad is Tensor gradient && !ParameterSlice.TryAdd(
                slices, parameter.Value, gradient, [.. StateKinds.Select(kind => GetState(kind, parameter))], parameter.Decays))
            {
                Update(parameter, gradient, learningRate * parameter.Rate);
            }

            rates.AddRange(Enumerable.Repeat(learningRate * parameter.Rate, slices.Count - rates.Count));
        }

        WorkerThreads.For(slices.Count, i => Update(slices[i], rates[i]));
    }

    /// <summary>Counts a step without updating anything.</summary>
    public void Skip()
    {
        Steps++;
        Skipped++;
    }

    /// <summary>
    /// Releases all gradients: the next backward pass then stores each gradient instead of adding it to zeros.
    /// </summary>
    public void ClearGradients()
    {
        foreach (NamedParameter parameter in Parameters)
        {
            parameter.Value.grad = null;
        }
    }

    /// <summary>Restores the state of a checkpoint; the tensors are copied to the device of the parameters.</summary>
    /// <param name="steps">Steps taken, including those skipped.</param>
    /// <param name="saved">The state by name.</param>
    /// <param name="skipped">Steps skipped.</param>
    /// <exception cref="UniFaceException">A tensor belongs to no parameter or has another shape.</exception>
    public void Restore(long steps, IReadOnlyDictionary<string, Tensor> saved, long skipped = 0)
    {
        Clear();
        Dictionary<string, NamedParameter> known = Parameters.ToDictionary(p => p.Name, StringComparer.Ordinal);
        foreach ((string name, Tensor value) in saved)
        {
            string parameterName = name[(name.IndexOf('.', StringComparison.Ordinal) + 1)..];
            if (!known.TryGetValue(parameterName, out NamedParameter? parameter) || !parameter.Value.shape.SequenceEqual(value.shape))
            {
                throw new UniFaceException(
                    $"The checkpoint's optimizer state '{name}' [{string.Join(", ", value.shape)}] fits no parameter of this model.");
            }

            using NoGradScope scope = new();
            state[name] = zeros_like(parameter.Value).copy_(value).DetachFromDisposeScope(); // In the memory order of the parameter.
        }

        (Steps, Skipped) = (steps, skipped);
    }

    /// <summary>Disposes the state.</summary>
    public void Dispose()
    {
        Clear();
        GC.SuppressFinalize(this);
    }

    /// <summary>Names of the state tensors per parameter, at most two.</summary>
    private protected abstract IReadOnlyList<string> StateKinds { get; }

    /// <summary>Updates one parameter with libtorch's operators on any device; may change the gradient.</summary>
    private protected abstract void Update(NamedParameter parameter, Tensor gradient, double learningRate);

    /// <summary>Updates a slice of a parameter in CPU memory, with the same result up to rounding.</summary>
    private protected abstract void Update(in ParameterSlice slice, double learningRate);

    /// <summary>A state tensor of a parameter; initially zeros.</summary>
    private protected Tensor GetState(string kind, NamedParameter parameter)
    {
        string name = $"{kind}.{parameter.Name}";
        if (!state.TryGetValue(name, out Tensor? value))
        {
            state[name] = value = zeros_like(parameter.Value).DetachFromDisposeScope();
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
