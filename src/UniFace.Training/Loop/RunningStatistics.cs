namespace UniFace.Training.Loop;

/// <summary>Means and histograms over several steps. Part of a checkpoint, so that a resumed epoch reports the same as an uninterrupted one.</summary>
internal sealed class RunningStatistics
{
    /// <summary>Bins of a histogram of cosines from -1 to 1, each 0.025 wide.</summary>
    public const int Bins = 80;

    /// <summary>Steps counted.</summary>
    public long Steps { get; set; }

    /// <summary>Images counted.</summary>
    public long Images { get; set; }

    /// <summary>Sum of the losses over images.</summary>
    public double LossSum { get; set; }

    /// <summary>Sum of the cosines between images and their own class centers.</summary>
    public double TargetSum { get; set; }

    /// <summary>Sum of the images' largest cosines with another class center.</summary>
    public double HardestNegativeSum { get; set; }

    /// <summary>Sum of the gradient norms over steps.</summary>
    public double GradientNormSum { get; set; }

    /// <summary>Images by target cosine.</summary>
    public long[] TargetHistogram { get; set; } = new long[Bins];

    /// <summary>Images by hardest-negative cosine.</summary>
    public long[] HardestNegativeHistogram { get; set; } = new long[Bins];

    /// <summary>Mean loss per image.</summary>
    public double Loss => LossSum / Math.Max(Images, 1);

    /// <summary>Mean target cosine.</summary>
    public double TargetCosine => TargetSum / Math.Max(Images, 1);

    /// <summary>Mean hardest-negative cosine.</summary>
    public double HardestNegativeCosine => HardestNegativeSum / Math.Max(Images, 1);

    /// <summary>Mean gradient norm per step.</summary>
    public double GradientNorm => GradientNormSum / Math.Max(Steps, 1);

    /// <summary>Adds a batch.</summary>
    /// <param name="loss">Its mean loss.</param>
    /// <param name="target">Target cosines, [B].</param>
    /// <param name="hardestNegative">Hardest-negative cosines, [B].</param>
    public void AddBatch(double loss, ReadOnlySpan<float> target, ReadOnlySpan<float> hardestNegative)
    {
        Images += target.Length;
        LossSum += loss * target.Length;
        for (int i = 0; i < target.Length; i++)
        {
            TargetSum += target[i];
            HardestNegativeSum += hardestNegative[i];
            TargetHistogram[Bin(target[i])]++;
            HardestNegativeHistogram[Bin(hardestNegative[i])]++;
        }
    }

    /// <summary>Adds a step.</summary>
    public void AddStep(double gradientNorm)
    {
        Steps++;
        GradientNormSum += gradientNorm;
    }

    /// <summary>
    /// Moves the counts of all processes to rank 0, so that it has those of the global batches; the other ranks count from 0 again.
    /// </summary>
    public static void MoveToFirst(ICommunicator communicator, params RunningStatistics[] all)
    {
        if (communicator.Size == 1)
        {
            return;
        }

        // Counts below 2^53 are exact as float64.
        double[] sums = [.. all.SelectMany(s => s.ToArray())];
        communicator.AllReduce(sums, Reduction.Sum, Traffic.Other);
        int length = sums.Length / all.Length;
        for (int i = 0; i < all.Length; i++)
        {
            all[i].Set(communicator.Rank == 0 ? sums.AsSpan(i * length, length) : new double[length]);
        }
    }

    private double[] ToArray() =>
    [
        Steps, Images, LossSum, TargetSum, HardestNegativeSum, GradientNormSum,
        .. TargetHistogram.Select(count => (double)count), .. HardestNegativeHistogram.Select(count => (double)count),
    ];

    private void Set(ReadOnlySpan<double> values)
    {
        (Steps, Images, LossSum, TargetSum) = ((long)values[0], (long)values[1], values[2], values[3]);
        (HardestNegativeSum, GradientNormSum) = (values[4], values[5]);
        for (int bin = 0; bin < Bins; bin++)
        {
            TargetHistogram[bin] = (long)values[6 + bin];
            HardestNegativeHistogram[bin] = (long)values[6 + Bins + bin];
        }
    }

    private static int Bin(float cosine) => float.IsNaN(cosine) ? 0 : Math.Clamp((int)((cosine + 1) * (Bins / 2)), 0, Bins - 1);
}
