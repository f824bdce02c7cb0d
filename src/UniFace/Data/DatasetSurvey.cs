using System.Security.Cryptography;
using UniFace.Embeddings;
using UniFace.Faces;

namespace UniFace.Data;

/// <summary>A picture that cannot be used.</summary>
/// <param name="Name">The sample's name.</param>
/// <param name="Reason">Why, in a sentence.</param>
public sealed record UnreadablePicture(string Name, string Reason);

/// <summary>Pictures of one size.</summary>
/// <param name="Width">Width in pixels.</param>
/// <param name="Height">Height in pixels.</param>
/// <param name="Images">How many there are.</param>
public sealed record PictureSize(int Width, int Height, int Images);

/// <summary>Pictures with the same bytes.</summary>
/// <param name="Names">Their names, in the set's order; two at least.</param>
/// <param name="People">Names of the people they are filed under; more than one is a wrong label for certain.</param>
public sealed record DuplicatePictures(IReadOnlyList<string> Names, IReadOnlyList<string> People);

/// <summary>All that can be said of a data set by looking at every picture once.</summary>
public sealed record DatasetSurvey
{
    private const int Chunk = 64;

    /// <summary>Hash over names, labels and contents (<see cref="DatasetHash"/>); null where a picture's bytes could not be read.</summary>
    public required string? Hash { get; init; }

    /// <summary>For every person, how many pictures they have.</summary>
    public required IReadOnlyList<int> ImagesPerPerson { get; init; }

    /// <summary>Sizes of the pictures, the most common first.</summary>
    public required IReadOnlyList<PictureSize> Sizes { get; init; }

    /// <summary>Pictures that cannot be read or decoded.</summary>
    public required IReadOnlyList<UnreadablePicture> Unreadable { get; init; }

    /// <summary>Groups of pictures with the same bytes.</summary>
    public required IReadOnlyList<DuplicatePictures> Duplicates { get; init; }

    /// <summary>What looks like a wrong label; null where no model was given.</summary>
    public required LabelNoise? LabelNoise { get; init; }

    /// <summary>Reads, hashes and decodes every picture, and embeds it where a model is given.</summary>
    /// <param name="dataset">The set.</param>
    /// <param name="decoder">Decodes the pictures.</param>
    /// <param name="embedder">A model to judge the labels by, or null.</param>
    /// <param name="done">Called with how many more pictures are done.</param>
    /// <param name="cancellationToken">Stops the survey.</param>
    /// <exception cref="UniFaceException">A model is given and none of the first pictures has the size that it takes.</exception>
    public static DatasetSurvey Of(FaceDataset dataset, IImageDecoder decoder, IEmbedder? embedder = null, Action<int>? done = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(dataset);
        ArgumentNullException.ThrowIfNull(decoder);
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
                throw new UniFaceException($"{dataset.Source}: none of the first pictures is {embedder.InputSize.Width}x{embedder.InputSize.Height} as the model takes them; bring the faces to that size with 'uniface align' first.");
            }

            done?.Invoke(images.Length);
        }

        return new DatasetSurvey
        {
            Hash = hashes.All(hash => hash is not null) ? DatasetHash.Combine(dataset, [.. hashes.SelectMany(hash => hash)]) : null,
            ImagesPerPerson = [.. dataset.SamplesByPerson().Select(samples => samples.Length)],
            Sizes = [.. sizes.Where(size => size.Width > 0).GroupBy(size => size).Select(group => new PictureSize(group.Key.Width, group.Key.Height, group.Count()))
                .OrderByDescending(size => size.Images).ThenBy(size => size.Width).ThenBy(size => size.Height)],
            Unreadable = [.. reasons.Index().Where(reason => reason.Item is not null).Select(reason => new UnreadablePicture(dataset.Samples[reason.Index].Name, reason.Item!))],
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

    private static DuplicatePictures[] FindDuplicates(FaceDataset dataset, byte[]?[] hashes)
    {
        Dictionary<string, List<int>> byHash = new(StringComparer.Ordinal);
        for (int i = 0; i < hashes.Length; i++)
        {
            if (hashes[i] is byte[] hash)
            {
                string key = Convert.ToHexString(hash);
                if (!byHash.TryGetValue(key, out List<int>? same))
                {
                    byHash.Add(key, same = []);
                }

                same.Add(i);
            }
        }

        return [.. byHash.Values.Where(same => same.Count > 1).OrderBy(same => same[0]).Select(same => new DuplicatePictures(
            [.. same.Select(i => dataset.Samples[i].Name)],
            [.. same.Select(i => dataset.Samples[i].Label).Distinct().Select(label => dataset.People[label])]))];
    }
}
