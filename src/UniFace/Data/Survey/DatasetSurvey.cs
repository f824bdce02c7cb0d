namespace UniFace.Data.Survey;

/// <summary>An image that cannot be read or decoded.</summary>
/// <param name="Name">The sample's name.</param>
/// <param name="Reason">Why, in one sentence.</param>
public sealed record UnreadablePicture(string Name, string Reason);

/// <summary>Images of one size.</summary>
/// <param name="Width">Width in pixels.</param>
/// <param name="Height">Height in pixels.</param>
/// <param name="Images">Number of images.</param>
public sealed record PictureSize(int Width, int Height, int Images);

/// <summary>Images with the same bytes.</summary>
/// <param name="Names">Their names, in the set's order; at least two.</param>
/// <param name="People">Names of the people they are filed under; if there are several, a label is certainly wrong.</param>
public sealed record DuplicatePictures(IReadOnlyList<string> Names, IReadOnlyList<string> People);

/// <summary>Statistics and problems of a data set, found by reading every image once.</summary>
public sealed record DatasetSurvey
{
    private const int Chunk = 64;

    /// <summary>Hash over names, labels and contents (<see cref="DatasetHash"/>); null if an image could not be read.</summary>
    public required string? Hash { get; init; }

    /// <summary>Number of images of every person.</summary>
    public required IReadOnlyList<int> ImagesPerPerson { get; init; }

    /// <summary>Image sizes, the most common first.</summary>
    public required IReadOnlyList<PictureSize> Sizes { get; init; }

    /// <summary>Images that cannot be read or decoded.</summary>
    public required IReadOnlyList<UnreadablePicture> Unreadable { get; init; }

    /// <summary>Groups of images with the same bytes.</summary>
    public required IReadOnlyList<DuplicatePictures> Duplicates { get; init; }

    /// <summary>Labels that look wrong; null if no model was given.</summary>
    public required LabelNoise? LabelNoise { get; init; }

    /// <summary>Reads, hashes and decodes every image, and embeds it if a model is given.</summary>
    /// <param name="dataset">The set.</param>
    /// <param name="decoder">Decodes the images.</param>
    /// <param name="embedder">A model to check the labels with, or null.</param>
    /// <param name="done">Called with the number of images done since the last call.</param>
    /// <param name="cancellationToken">Stops the survey.</param>
    /// <exception cref="UniFaceException">A model is given, and none of the first images has its input size.</exception>
    public static DatasetSurvey Run(
        FaceDataset dataset, IImageDecoder decoder, IEmbedder? embedder = null, Action<int>? done = null, CancellationToken cancellationToken = default)
    {
        int count = dataset.Samples.Count;
        byte[][] hashes = new byte[count][];
        (int Width, int Height)[] sizes = new (int, int)[count];
        string?[] reasons = new string?[count];
        float[]?[] embeddings = new float[]?[embedder is null ? 0 : count];
        for (int start = 0; start < count; start += Chunk)
        {
            cancellationToken.ThrowIfCancellationRequested();
            RgbImage?[] images = new RgbImage?[Math.Min(Chunk, count - start)];
            int first = start;
            DatasetHash.ForEach(
                images.Length,
                i =>
                {
                    try
                    {
                        byte[] bytes = dataset.Read(first + i);
                        hashes[first + i] = SHA256.HashData(bytes);
                        RgbImage image = decoder.Decode(bytes, dataset.Samples[first + i].Name);
                        sizes[first + i] = (image.Width, image.Height);
                        images[i] = embedder is not null && sizes[first + i] == embedder.InputSize ? image : null;
                    }
                    catch (UniFaceException e)
                    {
                        reasons[first + i] = e.Message;
                    }
                },
                cancellationToken);
            if (embedder is not null)
            {
                Embed(embedder, images, embeddings.AsSpan(start, images.Length));
            }

            if (embedder is not null && start == 0 && images.All(image => image is null))
            {
                throw new UniFaceException(
                    $"{dataset.Source}: none of the first pictures has the model's input size, {embedder.InputSize.Width}x{embedder.InputSize.Height}; " +
                    "align the faces with 'uniface align' first.");
            }

            done?.Invoke(images.Length);
        }

        return new DatasetSurvey
        {
            Hash = hashes.All(hash => hash is not null) ? DatasetHash.Combine(dataset, [.. hashes.SelectMany(hash => hash)]) : null,
            ImagesPerPerson = [.. dataset.SamplesByPerson().Select(samples => samples.Length)],
            Sizes = [.. sizes.Where(size => size.Width > 0).CountBy(size => size)
                .Select(size => new PictureSize(size.Key.Width, size.Key.Height, size.Value))
                .OrderByDescending(size => size.Images).ThenBy(size => size.Width).ThenBy(size => size.Height)],
            Unreadable = [.. reasons.Index().Where(reason => reason.Item is not null)
                .Select(reason => new UnreadablePicture(dataset.Samples[reason.Index].Name, reason.Item!))],
            Duplicates = FindDuplicates(dataset, hashes),
            LabelNoise = embedder is null ? null : LabelNoise.Find(dataset, embeddings),
        };
    }

    private static void Embed(IEmbedder embedder, RgbImage?[] images, Span<float[]?> embeddings)
    {
        RgbImage[] faces = [.. images.OfType<RgbImage>()];
        if (faces.Length == 0)
        {
            return;
        }

        float[] rows = embedder.Embed(faces); // [faces, D]
        int row = 0;
        for (int i = 0; i < images.Length; i++)
        {
            if (images[i] is not null)
            {
                embeddings[i] = rows.AsSpan(row++ * embedder.EmbeddingSize, embedder.EmbeddingSize).ToArray();
            }
        }
    }

    private static DuplicatePictures[] FindDuplicates(FaceDataset dataset, byte[]?[] hashes) =>
    [
        .. hashes.Index().Where(sample => sample.Item is not null)
            .GroupBy(sample => Convert.ToHexString(sample.Item!), sample => sample.Index)
            .Where(same => same.Count() > 1)
            .Select(same => new DuplicatePictures(
                [.. same.Select(i => dataset.Samples[i].Name)],
                [.. same.Select(i => dataset.People[dataset.Samples[i].Label]).Distinct()])),
    ];
}
