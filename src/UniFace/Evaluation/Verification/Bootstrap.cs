namespace UniFace.Evaluation.Verification;

/// <summary>Intervals of the metrics.</summary>
/// <param name="Auc">Of the area under the curve.</param>
/// <param name="EqualErrorRate">Of the equal error rate.</param>
/// <param name="Points">The given operating points with their intervals; unsupported ones unchanged.</param>
/// <param name="Unit">What was resampled: <see cref="BootstrapUnit.Pair"/> or <see cref="BootstrapUnit.Person"/>.</param>
/// <param name="Replicates">Number of replicates.</param>
internal sealed record BootstrapIntervals(
    ConfidenceInterval Auc, ConfidenceInterval EqualErrorRate, IReadOnlyList<OperatingPoint> Points, BootstrapUnit Unit, int Replicates);

/// <summary>
/// Percentile bootstrap of verification metrics, stratified into mated and non-mated pairs. Operating points are found again in every
/// replicate, so their intervals include the choice of the threshold. If the TAR of all replicates is 0 or 1, the interval is that of
/// Clopper and Pearson.
/// </summary>
internal static class Bootstrap
{
    /// <summary>Intervals for the curve's metrics and for operating points of it.</summary>
    /// <param name="scores">The scored pairs.</param>
    /// <param name="points">Operating points measured on them.</param>
    /// <param name="options">How the intervals are computed.</param>
    /// <param name="ranked">The scores' ranking, if it already exists.</param>
    /// <param name="cancellationToken">Cancels the computation.</param>
    /// <exception cref="UniFaceException">People are requested but unknown, or too few.</exception>
    public static BootstrapIntervals Run(
        VerificationScores scores,
        IReadOnlyList<OperatingPoint> points,
        BootstrapOptions options,
        RankedScores? ranked = null,
        CancellationToken cancellationToken = default)
    {
        ranked ??= new RankedScores(scores);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Replicates, 1, nameof(options));
        BootstrapUnit unit = Resolve(options.Unit, scores);
        int replicates = Math.Min(options.Replicates, (int)Math.Max(200, 1_000_000_000L / ranked.Same.Length));
        OperatingPoint[] supported = [.. points.Where(p => p.Threshold is not null).OrderBy(p => p.TargetFalseMatchRate)];
        double[] rates = [.. supported.Select(p => p.TargetFalseMatchRate)];
        IResampler resampler = unit == BootstrapUnit.Person ? new PersonResampler(scores, ranked) : new PairResampler(ranked);
        Replicate[] drawn = new Replicate[replicates];
        using ThreadLocal<int[]> weights = new(() => new int[ranked.Same.Length]);
        ParallelLoop.Run(
            replicates,
            i =>
            {
                Draw(resampler, weights.Value!, options.Seed, i);
                drawn[i] = Measure(ranked, weights.Value!, rates);
            },
            cancellationToken: cancellationToken);

        Dictionary<double, OperatingPoint> measured = [];
        for (int i = 0; i < supported.Length; i++)
        {
            measured[rates[i]] = supported[i] with
            {
                TrueMatchRateInterval = TarInterval(
                    [.. drawn.Select(d => d.Tar[i])], supported[i].TrueMatchRate!.Value, ranked.SamePairs, options.Confidence),
                ThresholdInterval = Percentiles([.. drawn.Select(d => d.Thresholds[i])], options.Confidence),
            };
        }

        return new BootstrapIntervals(
            Percentiles([.. drawn.Select(d => d.Auc)], options.Confidence),
            Percentiles([.. drawn.Select(d => d.EqualErrorRate)], options.Confidence),
            [.. points.Select(p => measured.GetValueOrDefault(p.TargetFalseMatchRate, p))],
            unit,
            replicates);
    }

    /// <summary>The TAR of a replicate at a false match rate, with the threshold found in the replicate.</summary>
    internal static double TrueMatchRate(RankedScores ranked, IResampler resampler, int[] weights, double falseMatchRate, long seed, int replicate)
    {
        Draw(resampler, weights, seed, replicate);
        return Measure(ranked, weights, [falseMatchRate]).Tar[0];
    }

    private static BootstrapUnit Resolve(BootstrapUnit unit, VerificationScores scores)
    {
        if (unit == BootstrapUnit.Person && !scores.PeopleKnown)
        {
            throw new UniFaceException("a bootstrap over people needs the people of each pair; this data has pairs only: resample pairs");
        }

        if (unit != BootstrapUnit.Auto)
        {
            return unit;
        }

        if (!scores.PeopleKnown)
        {
            return BootstrapUnit.Pair;
        }

        int people = new HashSet<int>([.. scores.FirstPeople, .. scores.SecondPeople]).Count;
        return scores.DifferentPairs >= 10L * people ? BootstrapUnit.Person : BootstrapUnit.Pair;
    }

    // A draw without mated or without non-mated pairs is repeated.
    private static void Draw(IResampler resampler, int[] weights, long seed, int replicate)
    {
        for (int attempt = 0; attempt < 1000; attempt++)
        {
            if (resampler.Draw(weights, new SeededRandom(seed, RandomStream.Bootstrap, replicate, attempt)))
            {
                return;
            }
        }

        throw new UniFaceException("too few people for a bootstrap over people: resample pairs, or measure on more people");
    }

    private static Replicate Measure(RankedScores ranked, int[] weights, double[] rates)
    {
        double[] tar = new double[rates.Length], thresholds = new double[rates.Length];
        double same = 0, different = 0, equalError = 0;
        for (int rank = 0; rank < weights.Length; rank++)
        {
            same += ranked.Same[rank] ? weights[rank] : 0;
            different += ranked.Same[rank] ? 0 : weights[rank];
        }

        double trueMatches = 0, falseMatches = 0, twiceArea = 0;
        double lastThreshold = ranked.AboveAll;
        bool crossed = false;
        int nextRate = 0;
        int start = 0;
        for (int group = 0; group < ranked.GroupEnds.Count; group++)
        {
            double trueBefore = trueMatches, falseBefore = falseMatches;
            int end = ranked.GroupEnds[group];
            for (int rank = start; rank < end; rank++)
            {
                trueMatches += ranked.Same[rank] ? weights[rank] : 0;
                falseMatches += ranked.Same[rank] ? 0 : weights[rank];
            }

            start = end;
            if (trueMatches == trueBefore && falseMatches == falseBefore)
            {
                continue; // No pair with this score was drawn.
            }

            while (nextRate < rates.Length && falseMatches > rates[nextRate] * different * (1 + 1e-9))
            {
                tar[nextRate] = trueBefore / same;
                thresholds[nextRate] = lastThreshold;
                nextRate++;
            }

            if (!crossed && falseMatches / different >= 1 - trueMatches / same)
            {
                crossed = true;
                double gapBefore = falseBefore / different - (1 - trueBefore / same);
                double gapAfter = falseMatches / different - (1 - trueMatches / same);
                equalError = (falseBefore + -gapBefore / (gapAfter - gapBefore) * (falseMatches - falseBefore)) / different;
            }

            twiceArea += (falseMatches - falseBefore) * (trueBefore + trueMatches);
            lastThreshold = ranked.Thresholds[group];
        }

        return new Replicate(twiceArea / (2 * same * different), equalError, tar, thresholds);
    }

    private static ConfidenceInterval TarInterval(double[] values, double measured, int samePairs, double confidence)
    {
        bool degenerate = measured is 0 or 1 && Array.TrueForAll(values, v => v == measured);
        return degenerate
            ? BinomialInterval.ClopperPearson((long)measured * samePairs, samePairs, confidence)
            : Percentiles(values, confidence);
    }

    /// <summary>The interval between two percentiles of the values, which are sorted here.</summary>
    internal static ConfidenceInterval Percentiles(double[] values, double confidence)
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

    /// <summary>The metrics of one replicate; TAR and threshold at each rate.</summary>
    private sealed record Replicate(double Auc, double EqualErrorRate, double[] Tar, double[] Thresholds);
}
