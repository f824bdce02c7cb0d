namespace UniFace.Evaluation.Verification;

/// <summary>How a model is validated on labeled people.</summary>
internal sealed record ValidationOptions
{
    /// <summary>How many pairs are scored.</summary>
    public PairOptions Pairs { get; init; } = new();

    /// <summary>Limit of mated pairs, and of non-mated pairs, for the accuracy.</summary>
    public int AccuracyPairs { get; init; } = 3000;

    /// <summary>False match rates to report.</summary>
    public IReadOnlyList<double> Rates { get; init; } = VerificationReport.DefaultRates;

    /// <summary>How confidence intervals are computed; null for none.</summary>
    public BootstrapOptions? Bootstrap { get; init; }

    /// <summary>Images per batch.</summary>
    public int BatchSize { get; init; } = 64;
}

/// <summary>How well a model tells labeled people apart that it was not trained on.</summary>
/// <param name="Report">All metrics over the scored pairs; its accuracy is null, see <paramref name="Accuracy"/>.</param>
/// <param name="Accuracy">
/// Accuracy over 10 folds of equally many mated and non-mated pairs, drawn evenly from all; null with fewer than 10 of each.
/// </param>
/// <param name="Scores">The scored pairs.</param>
/// <param name="People">People with a face found.</param>
/// <param name="Images">Images given.</param>
/// <param name="MissingImages">Images without a face; they are in no pair.</param>
internal sealed record ValidationResult(
    VerificationReport Report, CrossValidatedAccuracy? Accuracy, VerificationScores Scores, int People, int Images, int MissingImages);

/// <summary>Validates a model on labeled people that it was not trained on: everyone against everyone.</summary>
internal static class Validator
{
    /// <summary>Validates on images that are loaded as they are needed.</summary>
    /// <param name="embedder">The model.</param>
    /// <param name="load">The aligned face of an image, or null if it shows none; called from several threads at once.</param>
    /// <param name="labels">The person of each image, from 0.</param>
    /// <param name="options">Options; null for the defaults.</param>
    /// <param name="progress">Called with the number of images done since the last call.</param>
    /// <param name="cancellationToken">Cancels the computation.</param>
    /// <exception cref="UniFaceException">No person has two images, or there is only one person.</exception>
    public static ValidationResult Evaluate(
        IEmbedder embedder,
        Func<int, RgbImage?> load,
        IReadOnlyList<int> labels,
        ValidationOptions? options = null,
        Action<int>? progress = null,
        CancellationToken cancellationToken = default)
    {
        options ??= new ValidationOptions();
        return Evaluate(BatchEmbedding.Embed(embedder, labels.Count, load, options.BatchSize, progress, cancellationToken), labels, options, cancellationToken);
    }

    /// <summary>Validates embeddings.</summary>
    /// <param name="embedded">The embeddings, including images without a face.</param>
    /// <param name="labels">The person of each, from 0.</param>
    /// <param name="options">Options; null for the defaults.</param>
    /// <param name="cancellationToken">Cancels the computation.</param>
    /// <exception cref="UniFaceException">No person has two images, or there is only one person.</exception>
    public static ValidationResult Evaluate(
        EmbeddedFaces embedded, IReadOnlyList<int> labels, ValidationOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new ValidationOptions();
        (EmbeddedFaces faces, int[] people) = embedded.WithoutMissing(labels);
        VerificationScores scores = PairScores.AllPairs(faces, people, options.Pairs, cancellationToken);
        VerificationReport report = VerificationReport.Create(scores, options.Rates, options.Bootstrap, cancellationToken);
        return new ValidationResult(
            report, BalancedAccuracy(scores, options), scores, people.Distinct().Count(), embedded.Count, embedded.Count - faces.Count);
    }

    // Mated and non-mated pairs alternate, in the order of the people, so that neighboring people share a fold.
    private static CrossValidatedAccuracy? BalancedAccuracy(VerificationScores scores, ValidationOptions options)
    {
        int count = Math.Min(options.AccuracyPairs, Math.Min(scores.SamePairs, scores.DifferentPairs));
        if (count < 10)
        {
            return null;
        }

        double[] drawn = [.. Draw(true, scores.SamePairs).Zip(Draw(false, scores.DifferentPairs)).SelectMany(pair => new[] { pair.First, pair.Second })];
        return View2Protocol.Evaluate(new VerificationScores(drawn, [.. drawn.Select((_, i) => i % 2 == 0)]).WithContiguousFolds());

        IEnumerable<double> Draw(bool same, int available) => Enumerable.Range(0, scores.Count).Where(i => scores.Same[i] == same)
            .DrawEvenly(available, count, new SeededRandom(options.Pairs.Seed, same ? RandomStream.AccuracyMatedPairs : RandomStream.AccuracyNonMatedPairs))
            .Select(i => scores.Scores[i]);
    }
}
