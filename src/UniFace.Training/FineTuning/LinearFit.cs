namespace UniFace.Training.FineTuning;

/// <summary>
/// Ridge regression of outputs on inputs from their second moments, which are summed up batch by batch. With the inputs as outputs it gives
/// their covariances.
/// </summary>
internal sealed class LinearFit
{
    private readonly Tensor products; // [p + 1, p + 1 + q]: moments of (inputs, 1) with (inputs, 1, outputs)
    private readonly int inputs;

    /// <param name="inputs">Number of inputs.</param>
    /// <param name="outputs">Number of outputs.</param>
    public LinearFit(int inputs, int outputs)
    {
        this.inputs = inputs;
        products = zeros(inputs + 1, inputs + 1 + outputs, ScalarType.Float64);
    }

    private Tensor Count => products[inputs, inputs];

    /// <summary>Mean of the inputs, [p].</summary>
    public Tensor Mean => products[TensorIndex.Slice(0, inputs), inputs] / Count;

    /// <summary>Covariances of the inputs, [p, p].</summary>
    public Tensor Covariance => (products[TensorIndex.Slice(0, inputs), TensorIndex.Slice(0, inputs)] / Count) - Mean.outer(Mean);

    /// <summary>Adds samples.</summary>
    /// <param name="x">Inputs, [n, p], float32.</param>
    /// <param name="y">Outputs, [n, q], float32.</param>
    public void Add(Tensor x, Tensor y)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor one = ones(x.shape[0], 1);
        Tensor left = cat([x, one], 1); // [n, p + 1]
        products.add_(left.t().mm(cat([left, y], 1)).to(ScalarType.Float64));
    }

    /// <summary>Adds samples of inputs alone.</summary>
    public void Add(Tensor x) => Add(x, x[TensorIndex.Colon, TensorIndex.Slice(0, 0)]);

    /// <summary>Fits the outputs.</summary>
    /// <param name="ridge">Penalty on the weights, or on their distance from <paramref name="prior"/>, as a share of the inputs' mean variance.</param>
    /// <param name="prior">Weights to stay close to, [q, p]; null for 0.</param>
    /// <returns>Weights, [q, p], and what is added, [q].</returns>
    public (Tensor Weight, Tensor Shift) Solve(double ridge, Tensor? prior = null)
    {
        Tensor outputs = products[TensorIndex.Colon, TensorIndex.Slice(inputs + 1)]; // [p + 1, q]
        Tensor outputMean = outputs[inputs] / Count; // [q]
        Tensor covariance = Covariance;
        Tensor joint = (outputs[TensorIndex.Slice(0, inputs)] / Count) - Mean.outer(outputMean); // [p, q]
        Tensor penalty = covariance.diagonal().mean().clamp_min(1e-30) * ridge;
        if (prior is not null)
        {
            joint = joint + (prior.t() * penalty);
        }

        Tensor weight = linalg.solve(covariance + (eye(inputs, dtype: ScalarType.Float64) * penalty), joint).t();
        return (weight, outputMean - weight.mv(Mean));
    }

    /// <summary>Mean and variance of a linear layer's products with the inputs, [q] each.</summary>
    public (Tensor Mean, Tensor Variance) Statistics(Tensor weight) => (weight.mv(Mean), (weight.mm(Covariance) * weight).sum(1).clamp_min(0));
}
