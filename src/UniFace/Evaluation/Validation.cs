using UniFace.Embeddings;
using UniFace.Faces;

namespace UniFace.Evaluation;

/// <summary>How a model is validated on labelled people.</summary>
public sealed record ValidationOptions
{
    /// <summary>How many pairs are scored.</summary>
    public PairOptions Pairs { get; init; } = new();

    /// <summary>Pairs of one person, and as many of two, that the accuracy is measured on, at most.</summary>
    public int AccuracyPairs { get; init; } = 3000;

    /// <summary>False match rates to report.</summary>
    public IReadOnlyList<double> Rates { get; init; } = VerificationReport.DefaultRates;

    /// <summary>How intervals are drawn; null for none, as for a validation every epoch.</summary>
    public BootstrapOptions? Bootstrap { get; init; }

    /// <summary>Pictures in a batch.</summary>
    public int BatchSize { get; init; } = 64;
}

/// <summary>How well a model tells labelled people apart that it never saw.</summary>
/// <param name="Report">All metrics over the scored pairs; its accuracy is null, see <paramref name="Accuracy"/>.</param>
/// <param name="Accuracy">
/// Accuracy over 10 folds of as many pairs of one person as of two, drawn evenly from all; null with fewer than 10 of each.
/// </param>
/// <param name="Scores">The scored pairs.</param>
/// <param name="People">People with a face found.</param>
/// <param name="Images">Pictures given.</param>
/// <param name="MissingImages">Pictures in which no face was found; no pair is made of them.</param>
public sealed record ValidationResult(VerificationReport Report, CrossValidatedAccuracy? Accuracy, VerificationScores Scores, int People, int Images, int MissingImages);

/// <summary>Validates a model on labelled people it was not trained on: everyone against everyone.</summary>
public static class Validator
{
    /// <summary>Validates on pictures in memory.</summary>
    /// <param name="embedder">The model.</param>
    /// <param name="images">Aligned faces.</param>
    /// <param name="labels">The person of each, from 0.</param>
    /// <param name="options">How; null for the defaults.</param>
    /// <param name="cancellation">Stops it.</param>
    public static ValidationResult Evaluate(IEmbedder embedder, IReadOnlyList<RgbImage> images, IReadOnlyList<int> labels, ValidationOptions? options = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(images);
        return Evaluate(embedder, i => images[i], labels, options, null, cancellation);
    }

    /// <summary>Validates on pictures that are loaded as they are needed.</summary>
    /// <param name="embedder">The model.</param>
    /// <param name="load">The aligned face of a picture, or null where it shows none; called from several threads at once.</param>
    /// <param name="labels">The person of each picture, from 0.</param>
    /// <param name="options">How; null for the defaults.</param>
    /// <param name="progress">Told how many pictures were done since it was last told.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="UniFaceException">Nobody has two pictures, or there is one person only.</exception>
    public static ValidationResult Evaluate(IEmbedder embedder, Func<int, RgbImage?> load, IReadOnlyList<int> labels, ValidationOptions? options = null, Action<int>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(labels);
        ValidationOptions how = options ?? new ValidationOptions();
        EmbeddedFaces embedded = BatchEmbedding.Embed(embedder, labels.Count, load, how.BatchSize, progress, cancellation);
        return Evaluate(embedded, labels, how, cancellation);
    }

    /// <summary>Validates embeddings.</summary>
    /// <param name="embedded">The embeddings, missing ones among them.</param>
    /// <param name="labels">The person of each, from 0.</param>
    /// <param name="options">How; null for the defaults.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="UniFaceException">Nobody has two pictures, or there is one person only.</exception>
    public static ValidationResult Evaluate(EmbeddedFaces embedded, IReadOnlyList<int> labels, ValidationOptions? options = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(embedded);
        ValidationOptions how = options ?? new ValidationOptions();
        (EmbeddedFaces faces, int[] people) = embedded.WithoutMissing(labels);
        VerificationScores scores = PairScores.AllPairs(faces.Values, faces.Dimension, people, how.Pairs, cancellation);
        VerificationReport report = VerificationReport.Create(scores, how.Rates, how.Bootstrap, cancellation);
        return new ValidationResult(report, BalancedAccuracy(scores, how), scores, people.Distinct().Count(), embedded.Count, embedded.Count - faces.Count);
    }

    // Same and different pairs by turns, in the order of the people, so that neighbouring people share a fold.
    private static CrossValidatedAccuracy? BalancedAccuracy(VerificationScores scores, ValidationOptions how)
    {
        int count = Math.Min(how.AccuracyPairs, Math.Min(scores.SamePairs, scores.DifferentPairs));
        if (count < 10)
        {
            return null;
        }

        int[] same = Draw(true, scores.SamePairs);
        int[] different = Draw(false, scores.DifferentPairs);
        count = Math.Min(same.Length, different.Length);
        double[] values = new double[2 * count];
        bool[] isSame = new bool[2 * count];
        for (int i = 0; i < count; i++)
        {
            values[2 * i] = scores.ScoreArray[same[i]];
            isSame[2 * i] = true;
            values[2 * i + 1] = scores.ScoreArray[different[i]];
        }

        return View2Protocol.Evaluate(new VerificationScores(values, isSame).WithContiguousFolds());

        int[] Draw(bool wanted, int available)
        {
            EvenDraw draw = new(available, count, how.Pairs.Seed + (wanted ? 2 : 3));
            List<int> pairs = [];
            int index = 0;
            for (int i = 0; i < scores.Count; i++)
            {
                if (scores.SameArray[i] == wanted && draw.Takes(index++))
                {
                    pairs.Add(i);
                }
            }

            return [.. pairs];
        }
    }
}
