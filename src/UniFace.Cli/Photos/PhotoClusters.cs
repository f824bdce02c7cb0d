using UniFace.Clustering;

namespace UniFace.Cli.Photos;

/// <summary>The faces of a set of photos, in one group per person. Groups are numbered by size, the largest first.</summary>
/// <param name="Photos">The photos.</param>
/// <param name="Faces">The photo of each face, and its number in the photo.</param>
/// <param name="Groups">The group of each face.</param>
/// <param name="Skipped">The photos without a usable face, and why.</param>
internal sealed record PhotoClusters(
    PhotoSet Photos, IReadOnlyList<(int Photo, int Face)> Faces, int[] Groups, IReadOnlyList<SkippedPhoto> Skipped)
{
    private const string Singles = "alone";

    /// <summary>The number of faces in each group.</summary>
    public int[] Sizes { get; } = [.. Groups.CountBy(g => g).OrderBy(g => g.Key).Select(g => g.Value)];

    /// <summary>Embeds and groups the faces.</summary>
    /// <param name="photos">The photos.</param>
    /// <param name="chunks">Their faces.</param>
    /// <param name="embedder">The model.</param>
    /// <param name="threshold">The mean cosine at or above which two groups are one person, given the number of faces.</param>
    /// <param name="stop">Stops the grouping.</param>
    public static PhotoClusters Create(
        PhotoSet photos, IEnumerable<PhotoFaces[]> chunks, OnnxEmbedder embedder, Func<int, double> threshold, CancellationToken stop)
    {
        List<(int Photo, int Face)> faces = [];
        List<float> embeddings = []; // [N, D]
        List<SkippedPhoto> skipped = [];
        foreach (PhotoFaces[] chunk in chunks)
        {
            skipped.AddRange(chunk.Where(photo => photo.Faces.Count == 0).Select(photo => new SkippedPhoto(photo.Name, photo.Reason!)));
            faces.AddRange(chunk.SelectMany(photo => photo.Faces.Select((_, face) => (photo.Index, face))));
            embeddings.AddRange(embedder.Embed([.. chunk.SelectMany(photo => photo.Faces).Select(face => face.Image)]));
        }

        if (faces.Count == 0)
        {
            throw Output.NoFace(photos, skipped);
        }

        ClusteringOptions options = new() { Threshold = threshold(faces.Count) };
        return new PhotoClusters(photos, faces, FaceClustering.Group(new EmbeddedFaces([.. embeddings], embedder.EmbeddingSize), options, stop), skipped);
    }

    /// <summary>Copies each photo into the folder of each person in it, and writes clusters.json.</summary>
    /// <param name="target">The folder.</param>
    /// <param name="threshold">The threshold of the grouping.</param>
    /// <param name="calibrationWarning">The warning of the calibration that it comes from, or null.</param>
    /// <param name="stop">Stops between photos.</param>
    public void WriteTo(string target, double threshold, string? calibrationWarning, CancellationToken stop)
    {
        string[] files = GetFileNames();
        using ProgressMeter progress = new("sorting", Faces.Count, "faces");
        foreach (((int photo, _), int group) in Faces.Zip(Groups))
        {
            stop.ThrowIfCancellationRequested();
            string path = Path.Combine(target, GetFolder(group), files[photo]);

            // It exists if an earlier face of the photo is in the same folder.
            if (!File.Exists(path))
            {
                byte[] bytes = Photos.Read(photo);
                AtomicFile.Write(path, stream => stream.Write(bytes));
            }

            progress.Add();
        }

        ILookup<int, object> members = Faces.Zip(Groups).ToLookup(f => f.Second, object (f) => new { photo = Photos.Names[f.First.Photo], f.First.Face });
        AtomicFile.WriteText(Path.Combine(target, "clusters.json"), Output.ToJson(new
        {
            threshold,
            calibrationWarning,
            people = Enumerable.Range(0, Sizes.Length).Where(g => Sizes[g] > 1).Select(g => new { folder = GetFolder(g), faces = members[g] }),
            alone = Enumerable.Range(0, Sizes.Length).Where(g => Sizes[g] == 1).SelectMany(g => members[g]),
        }) + "\n");
    }

    private string GetFolder(int group) => Sizes[group] == 1 ? Singles : $"person-{group + 1:D4}";

    /// <summary>A file name for each photo: its path with '_' for '/', and a number if another photo has that name.</summary>
    private string[] GetFileNames()
    {
        HashSet<string> taken = new(StringComparer.OrdinalIgnoreCase);
        return [.. Photos.Names.Select(photo =>
        {
            string name = photo.Replace('/', '_'), unique = name;
            for (int i = 2; !taken.Add(unique); i++)
            {
                unique = $"{Path.GetFileNameWithoutExtension(name)}-{i}{Path.GetExtension(name)}";
            }

            return unique;
        })];
    }
}
