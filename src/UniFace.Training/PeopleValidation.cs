using UniFace.Data;
using UniFace.Embeddings;
using UniFace.Evaluation;
using UniFace.Faces;

namespace UniFace.Training;

/// <summary>
/// Validation on people that are not trained on: everyone against everyone, by the cosine of flip-summed embeddings. Whole
/// people are taken until there are <see cref="MaxImages"/> pictures, which stay decoded from one validation to the next.
/// </summary>
internal sealed class PeopleValidation
{
    /// <summary>Most pictures that are paired with each other: two million pairs.</summary>
    public const int MaxImages = 2000;

    private static readonly ValidationOptions Options = new() { Rates = [], AccuracyPairs = 0 };

    private readonly FaceDataset data;
    private readonly IImageDecoder decoder;
    private readonly int[] samples;
    private readonly int[] labels;
    private readonly RgbImage?[] pictures;

    public PeopleValidation(FaceDataset data, IImageDecoder decoder)
    {
        this.data = data;
        this.decoder = decoder;
        samples = [.. Enumerable.Range(0, data.Samples.Count).OrderBy(i => data.Samples[i].Label).Take(MaxImages)];
        labels = [.. samples.Select(i => data.Samples[i].Label)];
        pictures = new RgbImage?[samples.Length];
        int[] people = [.. labels.CountBy(l => l).Select(p => p.Value)];
        if (people.Length < 2 || people.Max() < 2)
        {
            throw new UniFaceException($"{data.Source} cannot validate: it needs two people or more, and one of them with two pictures or more.");
        }
    }

    public ValidationMetrics Run(IEmbedder embedder, CancellationToken cancellationToken)
    {
        VerificationReport report = Validator.Evaluate(embedder, Picture, labels, Options, cancellation: cancellationToken).Report;
        RocCurve roc = report.Roc;
        double rate = Math.Max(1e-2, 1.0 / roc.DifferentPairs);
        double tar = rate < 1 ? roc.At(rate).TrueMatchRate ?? 0 : 0;
        return new ValidationMetrics(tar, roc.Auc, report.EqualError.Rate, report.SamePairs + report.DifferentPairs);
    }

    private RgbImage Picture(int position)
    {
        int sample = samples[position];
        return pictures[position] ??= decoder.Decode(data.Read(sample), $"{data.Source}: {data.Samples[sample].Name}");
    }
}
