namespace UniFace.Evaluation.Verification;

/// <summary>What a comparison of two models shows.</summary>
internal enum ComparisonVerdict
{
    /// <summary>The interval of the difference includes 0.</summary>
    NotShown,

    /// <summary>The whole interval is above 0.</summary>
    Better,

    /// <summary>The whole interval is below 0.</summary>
    Worse,
}

/// <summary>A figure and its 95 % interval.</summary>
/// <param name="Value">The figure.</param>
/// <param name="Low">Lower end.</param>
/// <param name="High">Upper end.</param>
internal sealed record IntervalEstimate(double Value, double Low, double High);

/// <summary>
/// True match rates of two models on the same pairs at the same false match rate, and their difference. The intervals are those of a bootstrap
/// over people whose draws both models share.
/// </summary>
/// <param name="FalseMatchRate">The false match rate: 1e-3, or 1e-2 if the pairs are too few for it.</param>
/// <param name="Before">True match rate of the first model.</param>
/// <param name="After">True match rate of the second model.</param>
/// <param name="Difference">After - Before.</param>
/// <param name="People">People compared.</param>
/// <param name="MatedPairs">Pairs of the same person.</param>
/// <param name="NonMatedPairs">Pairs of different people.</param>
internal sealed record ModelComparison(
    double FalseMatchRate, IntervalEstimate Before, IntervalEstimate After, IntervalEstimate Difference, int People, int MatedPairs, int NonMatedPairs)
{
    private const double Confidence = 0.95;
    private static readonly double[] Rates = [1e-3, 1e-2];

    /// <summary>Better or worse only if the whole interval of the difference says so.</summary>
    public ComparisonVerdict Verdict =>
        Difference.Low > 0 ? ComparisonVerdict.Better : Difference.High < 0 ? ComparisonVerdict.Worse : ComparisonVerdict.NotShown;

    /// <summary>Compares two models.</summary>
    /// <param name="before">Scores of the first model, with people.</param>
    /// <param name="after">Scores of the second model for the same pairs.</param>
    /// <param name="seed">Seed of the bootstrap.</param>
    /// <param name="replicates">Number of replicates.</param>
    /// <returns>Null if the non-mated pairs are too few for a false match rate of 1e-2.</returns>
    public static ModelComparison? Measure(VerificationScores before, VerificationScores after, long seed = 1, int replicates = 1000)
    {
        RankedScores first = new(before), second = new(after);
        double rate = Rates.FirstOrDefault(rate => RuleOfThree.Supports(first.DifferentPairs, rate));
        if (rate == 0)
        {
            return null;
        }

        PersonResampler drawnFirst = new(before, first), drawnSecond = new(after, second, drawnFirst);
        double[] ofFirst = new double[replicates], ofSecond = new double[replicates], differences = new double[replicates];
        using ThreadLocal<int[]> weights = new(() => new int[first.Pairs.Length]);
        ParallelLoop.Run(replicates, i =>
        {
            ofFirst[i] = Bootstrap.TrueMatchRate(first, drawnFirst, weights.Value!, rate, seed, i);
            ofSecond[i] = Bootstrap.TrueMatchRate(second, drawnSecond, weights.Value!, rate, seed, i);
            differences[i] = ofSecond[i] - ofFirst[i];
        });
        double tarBefore = RocCurve.FromRanked(first).At(rate).TrueMatchRate!.Value, tarAfter = RocCurve.FromRanked(second).At(rate).TrueMatchRate!.Value;
        return new ModelComparison(
            rate,
            Estimate(tarBefore, ofFirst),
            Estimate(tarAfter, ofSecond),
            Estimate(tarAfter - tarBefore, differences),
            drawnFirst.People,
            first.SamePairs,
            first.DifferentPairs);

        static IntervalEstimate Estimate(double value, double[] drawn)
        {
            ConfidenceInterval interval = Bootstrap.Percentiles(drawn, Confidence);
            return new IntervalEstimate(value, interval.Low, interval.High);
        }
    }
}
