namespace UniFace.Evaluation.Identification;

/// <summary>
/// 1:N accuracy as in NIST's FRTE 1:N (Grother, Ngan, Hanaoka: NISTIR 8271; ISO/IEC 19795-1). A gallery of enrolled people is searched with
/// mated probes (the person is enrolled) and non-mated probes (strangers). A person's score is that of the best template. At a threshold T,
/// FPIR is the fraction of non-mated probes for which anybody reaches T; FNIR is the fraction of mated probes whose mate is not first or
/// does not reach T. Thresholds are set on non-mated probes alone. Ties count against the model: a mate ranks behind others with its score.
/// </summary>
internal static class IdentificationProtocol
{
    /// <summary>Measures 1:N accuracy.</summary>
    /// <param name="gallery">Embeddings of the enrolled images.</param>
    /// <param name="galleryLabels">The person of each, from 0.</param>
    /// <param name="probes">Embeddings of the probes.</param>
    /// <param name="probeLabels">The person of each as in <paramref name="galleryLabels"/>; -1 for strangers.</param>
    /// <param name="rates">False positive identification rates; null for <see cref="IdentificationReport.DefaultRates"/>.</param>
    /// <param name="cancellationToken">Cancels the computation.</param>
    /// <exception cref="UniFaceException">The gallery is empty, or no probe is mated.</exception>
    public static IdentificationReport Evaluate(
        EmbeddedFaces gallery,
        IReadOnlyList<int> galleryLabels,
        EmbeddedFaces probes,
        IReadOnlyList<int> probeLabels,
        IReadOnlyList<double>? rates = null,
        CancellationToken cancellationToken = default)
    {
        int[] rows = [.. Enumerable.Range(0, gallery.Count).Where(i => gallery.Found[i])];
        if (rows.Length == 0)
        {
            throw new UniFaceException("the gallery is empty: none of its images shows a face");
        }

        int people = galleryLabels.Max() + 1;
        ProbeResult[] results = new ProbeResult[probes.Count];
        using ThreadLocal<Search> search = new(() => new Search(people));
        ParallelLoop.Run(
            probes.Count,
            probe => results[probe] = probes.Found[probe]
                ? search.Value!.Find(gallery, rows, galleryLabels, probes, probe, probeLabels[probe])
                : new ProbeResult(probe, probeLabels[probe], -1, double.NegativeInfinity, -1, 0, double.NegativeInfinity, -1),
            cancellationToken: cancellationToken);
        ProbeResult[] mated = [.. results.Where(r => r.IsMated)];
        if (mated.Length == 0)
        {
            throw new UniFaceException(
                "no probe is of an enrolled person, so identification cannot be measured: give probes in folders named as the gallery's people");
        }

        // Non-mated probes without a face are skipped, so that a model gains nothing from faces that are not found.
        double[] strangers = [.. results.Where(r => !r.IsMated && r.Top >= 0).Select(r => r.TopScore).OrderDescending()];
        double[] found = [.. mated.Where(r => r.MateRank == 1).Select(r => r.MateScore).OrderDescending()];
        return new IdentificationReport(
            rows.Select(i => galleryLabels[i]).Distinct().Count(),
            rows.Length,
            mated.Length,
            strangers.Length,
            probes.Found.Count(f => !f),
            [.. (rates ?? IdentificationReport.DefaultRates).OrderDescending().Select(rate => Point(rate, strangers, found, mated.Length))],
            Curve(strangers, found, mated.Length),
            results);
    }

    private static IdentificationPoint Point(double rate, double[] strangers, double[] found, int mated)
    {
        if (strangers.Length == 0 || !RuleOfThree.Supports(strangers.Length, rate))
        {
            return new IdentificationPoint(
                rate, Why: RuleOfThree.Explain(strangers.Length, rate, "probes of strangers", "false positive identification rates"));
        }

        int allowed = (int)Math.Floor(rate * strangers.Length * (1 + 1e-9));
        double threshold = allowed >= strangers.Length ? strangers[^1] : Math.BitIncrement(strangers[allowed]);
        int hits = CountAtLeast(found, threshold);
        double fpir = CountAtLeast(strangers, threshold) / (double)strangers.Length;
        return new IdentificationPoint(rate, threshold, fpir, hits / (double)mated, BinomialInterval.ClopperPearson(hits, mated));
    }

    private static List<IdentificationDetPoint> Curve(double[] strangers, double[] found, int mated)
    {
        List<IdentificationDetPoint> curve = [];
        for (int i = 0; i < strangers.Length; i++)
        {
            if (i + 1 < strangers.Length && strangers[i + 1] == strangers[i])
            {
                continue; // equal scores are one threshold
            }

            double fnir = 1 - CountAtLeast(found, strangers[i]) / (double)mated;
            curve.Add(new IdentificationDetPoint(strangers[i], (i + 1) / (double)strangers.Length, fnir));
        }

        return curve;
    }

    // In falling order.
    private static int CountAtLeast(double[] falling, double threshold)
    {
        int low = 0, high = falling.Length;
        while (low < high)
        {
            int middle = (low + high) / 2;
            (low, high) = falling[middle] >= threshold ? (middle + 1, high) : (low, middle);
        }

        return low;
    }

    /// <summary>The search of one thread: the best template of every person.</summary>
    private sealed class Search(int people)
    {
        private readonly double[] best = new double[people];
        private readonly int[] template = new int[people];

        public ProbeResult Find(EmbeddedFaces gallery, int[] rows, IReadOnlyList<int> labels, EmbeddedFaces probes, int probe, int mate)
        {
            Array.Fill(best, double.NegativeInfinity);
            ReadOnlySpan<float> query = probes.Row(probe);
            int top = -1;
            foreach (int row in rows)
            {
                double score = CosineSimilarity.Dot(query, gallery.Row(row));
                int person = labels[row];
                if (score > best[person])
                {
                    (best[person], template[person]) = (score, row);
                    top = top < 0 || score > best[top] || person == top ? person : top;
                }
            }

            int rank = 0;
            if (mate >= 0 && !double.IsNegativeInfinity(best[mate]))
            {
                rank = 1;
                for (int person = 0; person < best.Length; person++)
                {
                    if (person != mate && best[person] >= best[mate])
                    {
                        rank++;
                        top = rank == 2 && best[top] <= best[mate] ? person : top; // a tie counts against the model
                    }
                }
            }

            (double mateScore, int mateTemplate) = rank > 0 ? (best[mate], template[mate]) : (double.NegativeInfinity, -1);
            return new ProbeResult(probe, mate, top, best[top], template[top], rank, mateScore, mateTemplate);
        }
    }
}
