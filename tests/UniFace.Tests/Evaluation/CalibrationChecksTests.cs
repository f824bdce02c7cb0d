using UniFace.Embeddings;
using UniFace.Evaluation.ThresholdCalibration;
using UniFace.Evaluation.Verification;
using UniFace.Packages;

namespace UniFace.Tests.Evaluation;

/// <summary>A threshold is always measured on people that it was not chosen from.</summary>
public sealed class CalibrationChecksTests
{
    [Fact]
    public void The_threshold_of_one_half_is_measured_on_the_other_half_only()
    {
        (EmbeddedFaces faces, int[] labels) = People(60, 5, 0.5, 1);
        PairOptions pairs = new() { Seed = 3 };
        IReadOnlyList<HeldOutRate> halves = CalibrationChecks.HoldOut(faces, labels, [1e-2, 1e-3, 1e-6], pairs);
        Assert.Equal([1e-2, 1e-3], halves.Select(h => h.FalseMatchRate)); // 30 people of 5 pictures: 10,875 pairs, of which 300 are of one person

        // By brute force, over both ways that the halves may have fallen.
        int[] people = [.. Enumerable.Range(0, 60)];
        new SeededRandom(pairs.Seed, RandomStream.CalibrationHalves).Shuffle<int>(people);
        HashSet<int> first = [.. people.Take(30)];
        double[] set = Different(faces, labels, first.Contains), measured = Different(faces, labels, p => !first.Contains(p));
        Assert.Equal(measured.Length, halves[0].DifferentPairs);
        Assert.All(halves, half =>
        {
            Assert.True(set.Count(s => s >= half.Threshold) <= half.FalseMatchRate * set.Length);
            Assert.Equal(measured.Count(s => s >= half.Threshold) / (double)measured.Length, half.Measured, 1e-12);
            Assert.InRange(half.Measured, half.Interval.Low, half.Interval.High);
        });
    }

    [Fact]
    public void Too_few_people_give_no_held_out_rates() =>
        Assert.Empty(CalibrationChecks.HoldOut(People(3, 5, 0.5, 1).Faces, People(3, 5, 0.5, 1).Labels, [1e-2], new PairOptions()));

    [Fact]
    public void A_calibration_transfers_to_similar_people_and_not_to_people_who_look_alike()
    {
        Calibration own = Calibrate(People(80, 6, 0.5, 1), out _);
        Calibration alike = Calibrate(People(80, 6, 0.5, 2), out VerificationScores similar);
        Assert.All(CalibrationChecks.Compare(own, alike, similar), rate => Assert.True(rate.Transfers, rate.Warning));

        Calibration family = Calibrate(People(80, 6, 0.5, 3, shared: 1), out VerificationScores scores);
        IReadOnlyList<TransferredRate> compared = CalibrationChecks.Compare(own, family, scores);
        Assert.NotEmpty(compared);
        Assert.All(compared, rate =>
        {
            Assert.False(rate.Transfers);
            Assert.Contains("does not transfer", rate.Warning, StringComparison.Ordinal);
            Assert.True(rate.Measured > rate.FalseMatchRate);
        });
        Assert.All(
            CalibrationChecks.Compare(family, own, CalibrateScores(People(80, 6, 0.5, 1))),
            rate => Assert.Contains("stricter", rate.Warning, StringComparison.Ordinal));
    }

    private static Calibration Calibrate((EmbeddedFaces Faces, int[] Labels) people, out VerificationScores scores)
    {
        scores = CalibrateScores(people);
        return Calibrator.FromScores(
            scores,
            new CalibrationSource(FlipSum: false, DataName: "invented", DataSha256: "0"),
            [1e-2, 1e-3],
            new BootstrapOptions { Replicates = 200 });
    }

    private static VerificationScores CalibrateScores((EmbeddedFaces Faces, int[] Labels) people) => PairScores.AllPairs(people.Faces, people.Labels);

    private static double[] Different(EmbeddedFaces faces, int[] labels, Func<int, bool> wanted) =>
    [
        .. from i in Enumerable.Range(0, faces.Count)
           from j in Enumerable.Range(0, i)
           where labels[i] != labels[j] && wanted(labels[i]) && wanted(labels[j])
           select faces.Cosine(i, j),
    ];

    // Directions of people, spread about one shared direction, and pictures about a person's.
    private static (EmbeddedFaces Faces, int[] Labels) People(int count, int pictures, double spread, int seed, double shared = 0)
    {
        const int dimension = 32;
        Random random = new(seed);
        float[] values = new float[count * pictures * dimension];
        int[] labels = new int[count * pictures];
        double[] common = [.. Enumerable.Range(0, dimension).Select(_ => Gauss.Next(random))];
        for (int person = 0; person < count; person++)
        {
            double[] center = [.. common.Select(c => (shared * c) + Gauss.Next(random))];
            for (int picture = 0; picture < pictures; picture++)
            {
                double[] row = [.. center.Select(c => c + (spread * Gauss.Next(random)))];
                double norm = Math.Sqrt(row.Sum(v => v * v));
                int at = (person * pictures) + picture;
                labels[at] = person;
                for (int d = 0; d < dimension; d++)
                {
                    values[(at * dimension) + d] = (float)(row[d] / norm);
                }
            }
        }

        return (new EmbeddedFaces(values, dimension, [.. labels.Select(_ => true)]), labels);
    }
}
