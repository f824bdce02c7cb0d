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
    /// <param name="communicator">The processes that have the other rows of sharded parameters; null for one process.</param>
    /// <returns>The norm before clipping; not finite if a gradient is not.</returns>
    public static double Clip(IReadOnlyList<NamedParameter> parameters, double maxNorm, ICommunicator? communicator = null)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        using NoGradScope scope = new();
        List<Tensor> others = [];
        List<ParameterSlice> slices = [];
        double total;
        if (communicator is { Size: > 1 } && parameters.Any(parameter => parameter.Sharded))
        {
            double[] sharded = [SquaredNorm(parameters.Where(parameter => parameter.Sharded), slices, others)];
            communicator.AllReduce(sharded, Reduction.Sum, Traffic.Other);
            total = sharded[0] + SquaredNorm(parameters.Where(parameter => !parameter.Sharded), slices, others);
        }
        else
        {
            total = SquaredNorm(parameters, slices, others);
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

    /// <summary>The squared joint norm of gradients, which are added to the lists.</summary>
    private static double SquaredNorm(IEnumerable<NamedParameter> parameters, List<ParameterSlice> slices, List<Tensor> others)
    {
        int first = slices.Count;
        List<Tensor> norms = [];
        foreach (NamedParameter parameter in parameters)
        {
            if (parameter.Value.grad is Tensor gradient && !ParameterSlice.TryAdd(slices, gradient, gradient))
            {
                others.Add(gradient);
                norms.Add(gradient.norm().to(ScalarType.Float32));
            }
        }

        double[] squares = new double[slices.Count - first];
        WorkerThreads.For(squares.Length, i => squares[i] = OptimizerKernels.SquaredNorm(slices[first + i]));
        double total = squares.Sum();
        if (norms.Count > 0)
        {
            double norm = stack(norms).norm().item<float>();
            total += norm * norm;
        }

        return total;
    }
}
