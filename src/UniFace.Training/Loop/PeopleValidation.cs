namespace UniFace.Training.Loop;

/// <summary>
/// Validation on people that are not trained on: all pairs of images, by the cosine of flip-summed embeddings. Uses up to
/// <see cref="MaxImages"/> images, person by person, which are decoded and checked once, before the run starts.
/// </summary>
internal sealed class PeopleValidation
{
    /// <summary>Most images: two million pairs.</summary>
    public const int MaxImages = 2000;

    private static readonly ValidationOptions Options = new() { Rates = [], AccuracyPairs = 0 };

    private readonly int[] labels;
    private readonly RgbImage[] images;

    public PeopleValidation(FaceDataset data, IImageDecoder decoder)
    {
        int[] samples = [.. Enumerable.Range(0, data.Samples.Count).OrderBy(i => data.Samples[i].Label).Take(MaxImages)];
        labels = [.. samples.Select(i => data.Samples[i].Label)];
        int[] people = [.. labels.CountBy(l => l).Select(p => p.Value)];
        if (people.Length < 2 || people.Max() < 2)
        {
            throw new UniFaceException($"{data.Source} cannot be validated on: it needs at least two people, one of them with at least two images.");
        }

        images = [.. samples.Select(sample => Decode(data, sample, decoder))];
    }

    public ValidationMetrics Run(IEmbedder embedder, CancellationToken cancellationToken)
    {
        VerificationReport report = Validator.Evaluate(embedder, i => images[i], labels, Options, cancellation: cancellationToken).Report;
        RocCurve roc = report.Roc;
        double rate = Math.Max(1e-2, 1.0 / roc.DifferentPairs);
        double tar = rate < 1 ? roc.At(rate).TrueMatchRate ?? 0 : 0;
        return new ValidationMetrics(tar, roc.Auc, report.EqualError.Rate, report.SamePairs + report.DifferentPairs);
    }

    private static RgbImage Decode(FaceDataset data, int sample, IImageDecoder decoder) => BatchLoader.Decode(
        decoder, data.Read(sample), $"{data.Source}: {data.Samples[sample].Name}", (BackboneRegistry.InputSize, BackboneRegistry.InputSize));
}
