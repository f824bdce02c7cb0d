namespace UniFace.Evaluation;

/// <summary>What a bootstrap draws again.</summary>
public enum BootstrapUnit
{
    /// <summary>
    /// People where they are known and compared with many others (10 pairs of two people a person or more), else pairs.
    /// </summary>
    Auto,

    /// <summary>
    /// Pairs, those of one person and those of two people each by themselves. Right where pairs share few people, as in
    /// LFW's list; too narrow where everyone is compared with everyone.
    /// </summary>
    Pair,

    /// <summary>
    /// People, with all their pairs: a pair of two people counts as often as both were drawn, multiplied; pairs of a person with
    /// its own copy are not made. Right where everyone is compared with everyone; too wide for sparse lists.
    /// </summary>
    Person,
}

/// <summary>How intervals are drawn.</summary>
public sealed record BootstrapOptions
{
    /// <summary>How often the data is drawn again. Large data lowers it, never below 200: at most 10^9 pair draws in all.</summary>
    public int Replicates { get; init; } = 1000;

    /// <summary>Confidence of the intervals, in (0, 1).</summary>
    public double Confidence { get; init; } = 0.95;

    /// <summary>Seed; the same seed gives the same intervals on any number of threads.</summary>
    public long Seed { get; init; } = 1;

    /// <summary>What is drawn again.</summary>
    public BootstrapUnit Unit { get; init; } = BootstrapUnit.Auto;
}

/// <summary>Intervals of the metrics.</summary>
/// <param name="Auc">Of the area under the curve.</param>
/// <param name="EqualErrorRate">Of the equal error rate.</param>
/// <param name="Points">The operating points that were given, with their intervals; unsupported ones as they were.</param>
/// <param name="Unit">What was drawn again: <see cref="BootstrapUnit.Pair"/> or <see cref="BootstrapUnit.Person"/>.</param>
/// <param name="Replicates">How often.</param>
public sealed record BootstrapIntervals(ConfidenceInterval Auc, ConfidenceInterval EqualErrorRate, IReadOnlyList<OperatingPoint> Points, BootstrapUnit Unit, int Replicates);

/// <summary>
/// Percentile bootstrap of verification metrics, stratified into pairs of one person and pairs of two people.
/// An operating point is found anew in every replicate, so its interval has the choice of the threshold in it.
/// Where no replicate differs from a TAR of 0 or 1, its interval is that of Clopper and Pearson: a bootstrap cannot see past
/// what was measured.
/// </summary>
public static class Bootstrap
{
    /// <summary>Intervals for the curve's metrics and for operating points of it.</summary>
    /// <param name="scores">The scored pairs.</param>
    /// <param name="points">Operating points measured on them.</param>
    /// <param name="options">How; null for the defaults.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="UniFaceException">People are asked for and not known, or too few to be drawn.</exception>
    public static BootstrapIntervals Run(VerificationScores scores, IReadOnlyList<OperatingPoint> points, BootstrapOptions? options = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(scores);
        return Run(scores, new RankedScores(scores), points, options ?? new BootstrapOptions(), cancellation);
    }

    internal static BootstrapIntervals Run(VerificationScores scores, RankedScores ranked, IReadOnlyList<OperatingPoint> points, BootstrapOptions options, CancellationToken cancellation)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Replicates, 1, nameof(options));
        BootstrapUnit unit = Resolve(options.Unit, scores);
        int replicates = Math.Min(options.Replicates, (int)Math.Max(200, 1_000_000_000L / ranked.Same.Length));
        OperatingPoint[] supported = [.. points.Where(p => p.Threshold is not null).OrderBy(p => p.TargetFalseMatchRate)];
        double[] rates = [.. supported.Select(p => p.TargetFalseMatchRate)];
        IResampler resampler = unit == BootstrapUnit.Person ? new PersonResampler(scores, ranked) : new PairResampler(ranked);

        double[] auc = new double[replicates];
        double[] eer = new double[replicates];
        double[][] tar = [.. rates.Select(_ => new double[replicates])];
        double[][] threshold = [.. rates.Select(_ => new double[replicates])];
        Parallel.For(
            0,
            replicates,
            new ParallelOptions { CancellationToken = cancellation, MaxDegreeOfParallelism = Environment.ProcessorCount },
            () => new int[ranked.Same.Length],
            (replicate, _, weights) =>
            {
                Draw(resampler, weights, options.Seed, replicate);
                Measure(ranked, weights, rates, replicate, auc, eer, tar, threshold);
                return weights;
            },
            _ => { });

        Dictionary<double, OperatingPoint> measured = [];
        for (int i = 0; i < supported.Length; i++)
        {
            measured[rates[i]] = supported[i] with
            {
                TrueMatchRateInterval = TarInterval(tar[i], supported[i].TrueMatchRate!.Value, ranked.SamePairs, options.Confidence),
                ThresholdInterval = Percentiles(threshold[i], options.Confidence),
            };
        }

        return new BootstrapIntervals(
            Percentiles(auc, options.Confidence),
            Percentiles(eer, options.Confidence),
            [.. points.Select(p => measured.GetValueOrDefault(p.TargetFalseMatchRate, p))],
            unit,
            replicates);
    }

    private static BootstrapUnit Resolve(BootstrapUnit unit, VerificationScores scores)
    {
        if (unit == BootstrapUnit.Person && !scores.PeopleKnown)
        {
            throw new UniFaceException("a bootstrap over people needs to know who is in each pair; this data has pairs only: draw pairs");
        }

        if (unit != BootstrapUnit.Auto)
        {
            return unit;
        }

        if (!scores.PeopleKnown)
        {
            return BootstrapUnit.Pair;
        }

        int people = scores.FirstPersonArray!.Concat(scores.SecondPersonArray!).Distinct().Count();
        return scores.DifferentPairs >= 10L * people ? BootstrapUnit.Person : BootstrapUnit.Pair;
    }

    // A draw without any pair of one person or of two people says nothing; it is drawn again.
    private static void Draw(IResampler resampler, int[] weights, long seed, int replicate)
    {
        for (int attempt = 0; attempt < 1000; attempt++)
        {
            if (resampler.Draw(weights, new SeededRandom(seed, RandomStream.Bootstrap, replicate, attempt)))
            {
                return;
            }
        }

        throw new UniFaceException("too few people for a bootstrap over people: draw pairs, or measure on more people");
    }

    private static void Measure(RankedScores ranked, int[] weights, double[] rates, int replicate, double[] auc, double[] eer, double[][] tar, double[][] threshold)
    {
        double same = 0;
        double different = 0;
        for (int rank = 0; rank < weights.Length; rank++)
        {
            if (ranked.Same[rank])
            {
                same += weights[rank];
            }
            else
            {
                different += weights[rank];
            }
        }

        double trueMatches = 0;
        double falseMatches = 0;
        double twiceArea = 0;
        double lastThreshold = ranked.AboveAll;
        bool crossed = false;
        int nextRate = 0;
        int start = 0;
        for (int group = 0; group < ranked.GroupEnds.Count; group++)
        {
            double trueBefore = trueMatches;
            double falseBefore = falseMatches;
            int end = ranked.GroupEnds[group];
            for (int rank = start; rank < end; rank++)
            {
                if (ranked.Same[rank])
                {
                    trueMatches += weights[rank];
                }
                else
                {
                    falseMatches += weights[rank];
                }
            }

            start = end;
            if (trueMatches == trueBefore && falseMatches == falseBefore)
            {
                continue; // Nothing of this score was drawn.
            }

            while (nextRate < rates.Length && falseMatches > rates[nextRate] * different * (1 + 1e-9))
            {
                tar[nextRate][replicate] = trueBefore / same;
                threshold[nextRate][replicate] = lastThreshold;
                nextRate++;
            }

            if (!crossed && falseMatches / different >= 1 - trueMatches / same)
            {
                crossed = true;
                double gapBefore = falseBefore / different - (1 - trueBefore / same);
                double gapAfter = falseMatches / different - (1 - trueMatches / same);
                eer[replicate] = (falseBefore + -gapBefore / (gapAfter - gapBefore) * (falseMatches - falseBefore)) / different;
            }

            twiceArea += (falseMatches - falseBefore) * (trueBefore + trueMatches);
            lastThreshold = ranked.Thresholds[group];
        }

        auc[replicate] = twiceArea / (2 * same * different);
    }

    private static ConfidenceInterval TarInterval(double[] values, double measured, int samePairs, double confidence)
    {
        bool degenerate = measured is 0 or 1 && Array.TrueForAll(values, v => v == measured);
        return degenerate
            ? BinomialInterval.ClopperPearson((long)measured * samePairs, samePairs, confidence)
            : Percentiles(values, confidence);
    }

    private static ConfidenceInterval Percentiles(double[] values, double confidence)
    {
        Array.Sort(values);
        return new ConfidenceInterval(Quantile((1 - confidence) / 2), Quantile((1 + confidence) / 2));

        double Quantile(double probability)
        {
            double position = probability * (values.Length - 1);
            int below = (int)position;
            double above = values[Math.Min(below + 1, values.Length - 1)];
            return values[below] + (position - below) * (above - values[below]);
        }
    }
}
