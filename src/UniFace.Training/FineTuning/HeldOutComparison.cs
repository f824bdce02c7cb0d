using UniFace.Statistics;

namespace UniFace.Training.FineTuning;

/// <summary>What a comparison of two models says.</summary>
public enum ComparisonVerdict
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
public sealed record IntervalEstimate(double Value, double Low, double High);

/// <summary>
/// True match rates of two models on the same people at the same false match rate, and their difference. The interval is that of a bootstrap over
/// people, which both models share: pairs of one person depend on each other, so resampling pairs would give intervals that are too narrow.
/// </summary>
/// <param name="FalseMatchRate">The false match rate.</param>
/// <param name="Before">True match rate of the first model.</param>
/// <param name="After">True match rate of the second.</param>
/// <param name="Difference">After - Before.</param>
/// <param name="People">People compared.</param>
/// <param name="MatedPairs">Pairs of the same person.</param>
/// <param name="NonMatedPairs">Pairs of different people.</param>
public sealed record HeldOutComparison(
    double FalseMatchRate, IntervalEstimate Before, IntervalEstimate After, IntervalEstimate Difference, int People, long MatedPairs, long NonMatedPairs)
{
    private const int Replicates = 1000;
    private static readonly double[] Rates = [1e-3, 1e-2];

    /// <summary>Better or worse only if the whole interval of the difference says so.</summary>
    public ComparisonVerdict Verdict =>
        Difference.Low > 0 ? ComparisonVerdict.Better : Difference.High < 0 ? ComparisonVerdict.Worse : ComparisonVerdict.NotShown;

    /// <summary>Compares two models by their embeddings of the same images.</summary>
    /// <param name="before">Unit vectors of the first model, [N, D] in rows.</param>
    /// <param name="after">Unit vectors of the second; D may differ.</param>
    /// <param name="labels">[N]: the person of each image.</param>
    /// <param name="seed">Seed of the bootstrap.</param>
    /// <returns>Null if there are too few pairs: fewer than 2 people with two images, or 300 non-mated pairs.</returns>
    public static HeldOutComparison? Measure(float[] before, float[] after, IReadOnlyList<int> labels, long seed)
    {
        ArgumentNullException.ThrowIfNull(labels);
        PairTable first = new(before, labels), second = new(after, labels);
        double at = Rates.FirstOrDefault(r => first.NonMated >= RuleOfThree.TrialsFor(r));
        if (at == 0 || first.PeopleWithPairs < 2)
        {
            return null;
        }

        int[] once = [.. Enumerable.Repeat(1, first.People)];
        double[][] drawn = new double[Replicates][];
        Parallel.For(0, Replicates, replicate =>
        {
            SeededRandom random = new(seed, RandomStream.Bootstrap, replicate);
            int[] times = new int[first.People];
            for (int i = 0; i < times.Length; i++)
            {
                times[random.Next(times.Length)]++;
            }

            double x = first.TrueMatchRate(at, times), y = second.TrueMatchRate(at, times);
            drawn[replicate] = [x, y, y - x];
        });
        double tarBefore = first.TrueMatchRate(at, once), tarAfter = second.TrueMatchRate(at, once);
        return new HeldOutComparison(
            at, Estimate(tarBefore, 0), Estimate(tarAfter, 1), Estimate(tarAfter - tarBefore, 2), first.People, first.Mated, first.NonMated);

        IntervalEstimate Estimate(double value, int column)
        {
            double[] sorted = [.. drawn.Select(d => d[column]).Where(double.IsFinite).Order()];
            return sorted.Length == 0 ? new(value, -1, 1) : new(value, sorted[(int)(0.025 * sorted.Length)], sorted[(int)(0.975 * sorted.Length)]);
        }
    }

    /// <summary>The scores of all pairs, sorted, with their people.</summary>
    private sealed class PairTable
    {
        private readonly (float Score, int Person)[] mated; // descending
        private readonly (float Score, int First, int Second)[] nonMated; // descending
        private readonly int[] images; // by person

        public PairTable(float[] embeddings, IReadOnlyList<int> labels)
        {
            int size = embeddings.Length / labels.Count;
            int[] people = [.. labels.Distinct().Order()];
            int[] person = [.. labels.Select(label => Array.BinarySearch(people, label))];
            images = [.. Enumerable.Range(0, people.Length).Select(p => person.Count(q => q == p))];
            List<(float, int)> same = [];
            List<(float, int, int)> different = [];
            for (int i = 0; i < labels.Count; i++)
            {
                for (int j = 0; j < i; j++)
                {
                    float score = TensorPrimitives.Dot<float>(embeddings.AsSpan(i * size, size), embeddings.AsSpan(j * size, size));
                    if (person[i] == person[j])
                    {
                        same.Add((score, person[i]));
                    }
                    else
                    {
                        different.Add((score, person[i], person[j]));
                    }
                }
            }

            mated = [.. same.OrderByDescending(p => p.Item1)];
            nonMated = [.. different.OrderByDescending(p => p.Item1)];
        }

        public int People => images.Length;

        public int PeopleWithPairs => images.Count(n => n > 1);

        public long Mated => mated.Length;

        public long NonMated => nonMated.Length;

        /// <summary>The true match rate if each person counts several times.</summary>
        public double TrueMatchRate(double falseMatchRate, int[] times)
        {
            double all = times.Zip(images, (t, n) => (double)t * n).Sum(), squares = times.Zip(images, (t, n) => (double)t * n * t * n).Sum();
            double allowed = falseMatchRate * (all * all - squares) / 2, passed = 0;
            int next = 0;
            for (; next < nonMated.Length && passed <= allowed; next++)
            {
                passed += (double)times[nonMated[next].First] * times[nonMated[next].Second];
            }

            // The last pair is one too many: the threshold is just above it.
            float threshold = passed > allowed ? nonMated[next - 1].Score : float.NegativeInfinity;
            double matched = 0, total = 0;
            foreach ((float score, int p) in mated)
            {
                total += times[p];
                matched += score > threshold ? times[p] : 0;
            }

            return matched / total;
        }
    }
}
