namespace UniFace.Training.FineTuning;

/// <summary>
/// Chooses the channels from which the layer after them can best be computed: forward selection by the explained variance of that layer's outputs,
/// with all covariances of the channels taken into account (after Luo et al. 2017, "ThiNet").
/// </summary>
internal static class ChannelSelection
{
    /// <summary>Chooses channels.</summary>
    /// <param name="covariance">Covariances of the channels, [C, C], float64.</param>
    /// <param name="consumer">The linear layer after them, [outputs, C], float64.</param>
    /// <param name="count">How many to choose.</param>
    /// <returns>The channels in ascending order.</returns>
    public static long[] Choose(Tensor covariance, Tensor consumer, int count)
    {
        using NoGradScope scope = new();
        if (count == covariance.shape[0])
        {
            return [.. Enumerable.Range(0, count).Select(c => (long)c)];
        }

        Tensor left = covariance.clone(); // what the chosen channels leave unexplained, [C, C]
        Tensor outputs = covariance.mm(consumer.t()); // covariances with the outputs, [C, outputs]
        Tensor free = ones(covariance.shape[0], ScalarType.Float64);
        double tiny = Math.Max(OwnedTensors.Value(covariance.diagonal().max()) * 1e-9, double.Epsilon);
        List<long> chosen = [];
        while (chosen.Count < count)
        {
            using DisposeScope step = NewDisposeScope();
            Tensor variance = left.diagonal().clamp_min(tiny);
            long best = (((outputs.square().sum(1) / variance) + tiny) * free).argmax().item<long>();
            Tensor scale = variance[best].sqrt();
            Tensor direction = left[TensorIndex.Colon, best] / scale; // [C]
            outputs.sub_(direction.outer(outputs[best] / scale));
            left.sub_(direction.outer(direction));
            free[best] = 0;
            chosen.Add(best);
        }

        return [.. chosen.Order()];
    }
}
