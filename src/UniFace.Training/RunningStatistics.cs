namespace UniFace.Training;

/// <summary>Means and histograms over some steps. Part of a checkpoint, so that a resumed epoch reports what a whole one does.</summary>
public sealed class RunningStatistics
{
    /// <summary>Bins of a histogram of cosines; each is 0.025 wide, from -1 to 1.</summary>
    public const int Bins = 80;

    /// <summary>Steps taken in.</summary>
    public long Steps { get; set; }

    /// <summary>Pictures taken in.</summary>
    public long Images { get; set; }

    /// <summary>Sum of the losses over pictures.</summary>
    public double LossSum { get; set; }

    /// <summary>Sum of the cosines between pictures and their own class centers.</summary>
    public double TargetSum { get; set; }

    /// <summary>Sum of the pictures' largest cosines with another class's center.</summary>
    public double HardestNegativeSum { get; set; }

    /// <summary>Sum of the gradients' norms over steps.</summary>
    public double GradientNormSum { get; set; }

    /// <summary>Pictures by target cosine.</summary>
    public long[] TargetHistogram { get; set; } = new long[Bins];

    /// <summary>Pictures by hardest-negative cosine.</summary>
    public long[] HardestNegativeHistogram { get; set; } = new long[Bins];

    /// <summary>Mean loss of a picture.</summary>
    public double Loss => LossSum / Math.Max(Images, 1);

    /// <summary>Mean target cosine.</summary>
    public double TargetCosine => TargetSum / Math.Max(Images, 1);

    /// <summary>Mean hardest-negative cosine.</summary>
    public double HardestNegativeCosine => HardestNegativeSum / Math.Max(Images, 1);

    /// <summary>Mean norm of a step's gradients.</summary>
    public double GradientNorm => GradientNormSum / Math.Max(Steps, 1);

    /// <summary>Takes a batch in.</summary>
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

    /// <summary>Counts a step.</summary>
    public void AddStep(double gradientNorm)
    {
        Steps++;
        GradientNormSum += gradientNorm;
    }

    private static int Bin(float cosine) => float.IsNaN(cosine) ? 0 : Math.Clamp((int)((cosine + 1) * (Bins / 2)), 0, Bins - 1);
}
