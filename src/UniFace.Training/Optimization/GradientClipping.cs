namespace UniFace.Training.Optimization;

/// <summary>Clips gradients by their joint norm, as torch.nn.utils.clip_grad_norm_ does.</summary>
internal static class GradientClipping
{
    /// <summary>
    /// Scales all gradients down so that their joint L2 norm is at most <paramref name="maxNorm"/>, unless the norm is not finite. One transfer
    /// from the device.
    /// </summary>
    /// <param name="parameters">The parameters; those without a gradient are skipped.</param>
    /// <param name="maxNorm">The largest norm allowed; 0 to measure only.</param>
    /// <returns>The norm before clipping; not finite if a gradient is not.</returns>
    public static double Clip(IReadOnlyList<NamedParameter> parameters, double maxNorm)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        using NoGradScope scope = new();
        List<Tensor> others = [];
        List<Tensor> norms = [];
        List<ParameterSlice> slices = [];
        foreach (NamedParameter parameter in parameters)
        {
            if (parameter.Value.grad is Tensor gradient && !ParameterSlice.TryAdd(slices, gradient, gradient))
            {
                others.Add(gradient);
                norms.Add(gradient.norm().to(ScalarType.Float32));
            }
        }

        double[] squares = new double[slices.Count];
        WorkerThreads.For(squares.Length, i => squares[i] = OptimizerKernels.SquaredNorm(slices[i]));
        double total = squares.Sum();
        if (norms.Count > 0)
        {
            double norm = stack(norms).norm().item<float>();
            total += norm * norm;
        }

        total = Math.Sqrt(total);
        double factor = maxNorm / (total + 1e-6);
        if (maxNorm > 0 && double.IsFinite(total) && factor < 1)
        {
            WorkerThreads.For(slices.Count, i => OptimizerKernels.Scale(slices[i], (float)factor));
            foreach (Tensor gradient in others)
            {
                gradient.mul_((float)factor);
            }
        }

        return total;
    }
}
