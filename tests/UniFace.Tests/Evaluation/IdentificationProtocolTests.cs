using CsCheck;
using UniFace.Embeddings;
using UniFace.Evaluation.Identification;

namespace UniFace.Tests.Evaluation;

/// <summary>Every rate equals the one that a count over all scores gives.</summary>
public sealed class IdentificationProtocolTests
{
    [Fact]
    public void Every_rate_equals_a_count_over_all_scores() =>
        Gen.Int[1, 100_000].Sample(
            seed =>
            {
                Random random = new(seed);
                int people = random.Next(2, 8);
                int[] galleryLabels = [.. Enumerable.Range(0, people * 2).Select(i => i % people)];
                int[] probeLabels = [.. Enumerable.Range(0, 60).Select(_ => random.Next(-people, people)).Select(p => Math.Max(p, -1)), 0];
                EmbeddedFaces gallery = Faces(
                    random,
                    galleryLabels.Length,
                    _ => random.Next(10) > 0 || _ < people), probes = Faces(random, probeLabels.Length, _ => random.Next(10) > 0);
                double[] rates = [0.5, 0.2];
                IdentificationReport report = IdentificationProtocol.Evaluate(gallery, galleryLabels, probes, probeLabels, rates);

                double[][] scores = [.. Enumerable.Range(0, probeLabels.Length).Select(p => Enumerable.Range(0, people)
                    .Select(person => !probes.Found[p] ? double.NegativeInfinity : Enumerable.Range(0, galleryLabels.Length).Where(
                        g => galleryLabels[g] == person && gallery.Found[g])
                        .Select(g => Cosine(probes, p, gallery, g)).DefaultIfEmpty(double.NegativeInfinity).Max()).ToArray())];
                int[] mated = [.. Enumerable.Range(0, probeLabels.Length).Where(p => probeLabels[p] >= 0)];
                int[] strangers = [.. Enumerable.Range(0, probeLabels.Length).Where(p => probeLabels[p] < 0 && probes.Found[p])];
                int Rank(int p) => scores[p].Where((s, person) => person != probeLabels[p] && s >= scores[p][probeLabels[p]]).Count() + 1;
                bool Seen(int p) => probes.Found[p] && !double.IsNegativeInfinity(scores[p][probeLabels[p]]);
                Assert.Equal((mated.Length, strangers.Length), (report.Mated, report.NonMated));
                Assert.Equal(mated.Count(p => Seen(p) && Rank(p) == 1) / (double)mated.Length, report.HitRate(1), 1e-12);
                Assert.Equal(mated.Count(p => Seen(p) && Rank(p) <= 3) / (double)mated.Length, report.HitRate(3), 1e-12);
                foreach (IdentificationPoint point in report.Points)
                {
                    if (point.Threshold is not double threshold)
                    {
                        Assert.True(strangers.Length * point.TargetFpir < 3);
                        continue;
                    }

                    Assert.Equal(strangers.Count(p => scores[p].Max() >= threshold) / (double)strangers.Length, point.Fpir!.Value, 1e-12);
                    Assert.True(point.Fpir <= point.TargetFpir + 1e-9);

                    // The lowest such threshold: the next stranger below it would be one too many.
                    double next = strangers.Select(p => scores[p].Max()).Where(s => s < threshold).DefaultIfEmpty(double.NegativeInfinity).Max();
                    Assert.True(
                        double.IsNegativeInfinity(next) || strangers.Count(p => scores[p].Max() >= next) > (point.TargetFpir * strangers.Length) - 1e-9);
                    Assert.Equal(
                        mated.Count(p => Seen(p) && Rank(p) == 1 && scores[p][probeLabels[p]] >= threshold) / (double)mated.Length,
                        point.Dir!.Value,
                        1e-12);
                }
            },
            iter: 100);

    [Fact]
    public void A_mate_that_ties_with_another_person_is_not_first()
    {
        EmbeddedFaces gallery = new([1, 0, 1, 0, 0, 1], 2, [true, true, true]);
        EmbeddedFaces probes = new([1, 0, 0, 1], 2, [true, true]);
        IdentificationReport report = IdentificationProtocol.Evaluate(gallery, [0, 1, 2], probes, [0, 2]);
        Assert.Equal((0.5, 1), (report.HitRate(1), report.HitRate(5)));
        Assert.Equal((2, 1), (report.Probes[0].MateRank, report.Probes[0].Top));
    }

    [Fact]
    public void Without_strangers_there_are_no_thresholds_and_without_mates_it_is_refused()
    {
        EmbeddedFaces faces = new([1, 0, 0, 1], 2, [true, true]);
        IdentificationReport report = IdentificationProtocol.Evaluate(faces, [0, 1], faces, [0, 1]);
        Assert.Equal(1, report.HitRate(1));
        Assert.All(report.Points, point => Assert.Contains("0 probes of strangers", point.Why, StringComparison.Ordinal));
        Assert.Throws<UniFaceException>(() => IdentificationProtocol.Evaluate(faces, [0, 1], faces, [-1, -1]));
        Assert.Throws<UniFaceException>(() => IdentificationProtocol.Evaluate(new EmbeddedFaces([0, 0, 0, 0], 2, [false, false]), [0, 1], faces, [0, 1]));
    }

    private static double Cosine(EmbeddedFaces a, int i, EmbeddedFaces b, int j) =>
        Enumerable.Range(0, a.Dimension).Sum(d => (double)a.Values[(i * a.Dimension) + d] * b.Values[(j * b.Dimension) + d]);

    // Few directions, so that ties happen; their products are exact.
    private static EmbeddedFaces Faces(Random random, int count, Func<int, bool> found)
    {
        float[] values = [
            .. Enumerable.Range(0, count).SelectMany(
                _ => new float[][] { [1, 0, 0], [0, 1, 0], [0, 0, 1], [0.5f, 0.5f, 0.5f], [0.25f, 0.75f, 0.5f], [0.75f, -0.25f, 0.5f] }[random.Next(6)])
        ];
        return new EmbeddedFaces(values, 3, [.. Enumerable.Range(0, count).Select(found)]);
    }
}
