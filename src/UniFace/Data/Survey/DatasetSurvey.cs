namespace UniFace.Data.Survey;

/// <summary>An image that cannot be read or decoded.</summary>
/// <param name="Name">The sample's name.</param>
/// <param name="Reason">Why, in one sentence.</param>
internal sealed record UnreadableImage(string Name, string Reason);

/// <summary>Images of one size.</summary>
/// <param name="Width">Width in pixels.</param>
/// <param name="Height">Height in pixels.</param>
/// <param name="Images">Number of images.</param>
internal sealed record ImageSize(int Width, int Height, int Images);

/// <summary>Images with the same bytes.</summary>
/// <param name="Names">Their names, in the set's order; at least two.</param>
/// <param name="People">Names of the people they are filed under; if there are several, a label is certainly wrong.</param>
internal sealed record DuplicateImages(IReadOnlyList<string> Names, IReadOnlyList<string> People);

/// <summary>Statistics and problems of a data set, found by reading every image once.</summary>
/// <param name="Hash">Hash over names, labels and contents (<see cref="DatasetHash"/>); null if an image could not be read.</param>
/// <param name="ImagesPerPerson">Number of images of every person.</param>
/// <param name="Sizes">Image sizes, the most common first.</param>
/// <param name="Unreadable">Images that cannot be read or decoded.</param>
/// <param name="Duplicates">Groups of images with the same bytes.</param>
/// <param name="LabelNoise">Labels that look wrong; null if no model was given.</param>
internal sealed record DatasetSurvey(
    string? Hash,
    IReadOnlyList<int> ImagesPerPerson,
    IReadOnlyList<ImageSize> Sizes,
    IReadOnlyList<UnreadableImage> Unreadable,
    IReadOnlyList<DuplicateImages> Duplicates,
    LabelNoise? LabelNoise)
{
    private const int Chunk = 64;

    /// <summary>Reads, hashes and decodes every image, and embeds it if a model is given.</summary>
    /// <param name="dataset">The set.</param>
    /// <param name="decoder">Decodes the images.</param>
    /// <param name="embedder">A model to check the labels with, or null.</param>
    /// <param name="done">Called with the number of images done since the last call, from several threads.</param>
    /// <param name="cancellationToken">Stops the survey.</param>
    /// <exception cref="UniFaceException">A model is given, and none of the first images has its input size.</exception>
    public static DatasetSurvey Run(
        FaceDataset dataset, IImageDecoder decoder, IEmbedder? embedder = null, Action<int>? done = null, CancellationToken cancellationToken = default)
    {
        int count = dataset.Samples.Count;
        byte[]?[] hashes = new byte[count][];
        (int Width, int Height)[] sizes = new (int, int)[count];
        string?[] reasons = new string?[count];
        LabelNoise? noise = null;
        if (embedder is null)
        {
            ParallelLoop.Run(
                count,
                i =>
                {
                    Read(i);
                    done?.Invoke(1);
                },
                cancellationToken: cancellationToken);
        }
        else if (Enumerable.Range(0, Math.Min(Chunk, count)).Any(i => Read(i) is not null))
        {
            float[]?[] embeddings = new float[]?[count]; // An array for each, because a large set has more values than one array holds.
            foreach ((int i, ReadOnlyMemory<float> embedding) in BatchEmbedding.Enumerate(embedder, count, Read, Chunk, done, cancellationToken))
            {
                embeddings[i] = embedding.ToArray();
            }

            noise = LabelNoise.Find(dataset, embeddings);
        }
        else
        {
            throw new UniFaceException(
                $"{dataset.Source}: none of the first images has the model's input size, {embedder.InputSize.Width}x{embedder.InputSize.Height}; " +
                "align the faces with 'uniface align' first");
        }

        return new DatasetSurvey(
            hashes.All(hash => hash is not null) ? DatasetHash.Combine(dataset, i => hashes[i]!) : null,
            [.. dataset.SamplesByPerson().Select(samples => samples.Length)],
            [.. sizes.Where(size => size.Width > 0).CountBy(size => size)
                .Select(size => new ImageSize(size.Key.Width, size.Key.Height, size.Value))
                .OrderByDescending(size => size.Images).ThenBy(size => size.Width).ThenBy(size => size.Height)],
            [.. reasons.Index().Where(reason => reason.Item is not null)
                .Select(reason => new UnreadableImage(dataset.Samples[reason.Index].Name, reason.Item!))],
            FindDuplicates(dataset, hashes),
            noise);

        // The image if the model takes it.
        RgbImage? Read(int i)
        {
            try
            {
                byte[] bytes = dataset.Read(i);
                hashes[i] = SHA256.HashData(bytes);
                RgbImage image = decoder.Decode(bytes, dataset.Samples[i].Name);
                sizes[i] = (image.Width, image.Height);
                return sizes[i] == embedder?.InputSize ? image : null;
            }
            catch (UniFaceException e)
            {
                reasons[i] = e.Message;
                return null;
            }
        }
    }

    private static DuplicateImages[] FindDuplicates(FaceDataset dataset, byte[]?[] hashes) =>
    [
        .. hashes.Index().Where(sample => sample.Item is not null)
            .GroupBy(sample => Convert.ToHexString(sample.Item!), sample => sample.Index)
            .Where(same => same.Count() > 1)
            .Select(same => new DuplicateImages(
                [.. same.Select(i => dataset.Samples[i].Name)],
                [.. same.Select(i => dataset.People[dataset.Samples[i].Label]).Distinct()])),
    ];
}
