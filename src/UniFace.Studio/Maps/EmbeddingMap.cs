using TorchSharp;
using UniFace.Data;
using UniFace.Embeddings;
using UniFace.Faces;
using UniFace.Training.Backbones;
using UniFace.Vision.Imaging;
using static TorchSharp.torch;

namespace UniFace.Studio.Maps;

/// <summary>How embeddings are projected to two dimensions.</summary>
internal enum MapMethod
{
    /// <summary>Principal components: distances are true in the two directions of largest variance, and lost in all others.</summary>
    Pca,

    /// <summary>t-SNE: keeps neighbours; distances between groups mean little.</summary>
    Tsne,
}

/// <summary>An image on the map.</summary>
/// <param name="Person">Number of its person, from 0.</param>
/// <param name="X">First principal component; without meaning for t-SNE.</param>
/// <param name="Y">Second principal component; without meaning for t-SNE.</param>
internal sealed record MapPoint(int Person, double X, double Y);

/// <summary>Unit embeddings in two dimensions.</summary>
/// <param name="Method">The projection.</param>
/// <param name="Unseen">True if the run did not train on these people; false if it held nobody out.</param>
/// <param name="People">Number of people on the map.</param>
/// <param name="Share">Share of the variance in the two components; null for t-SNE.</param>
/// <param name="Perplexity">Perplexity of t-SNE, about the number of neighbours that count; null for PCA.</param>
/// <param name="Trustworthiness">How far the nearest five on the map are neighbours among the embeddings: 1 entirely, 0.5 by chance.</param>
/// <param name="Checkpoint">Modification time of the checkpoint, UTC.</param>
/// <param name="Points">The images.</param>
internal sealed record EmbeddingMapAnswer(
    MapMethod Method, bool Unseen, int People, double? Share, double? Perplexity, double Trustworthiness, DateTime Checkpoint, IReadOnlyList<MapPoint> Points);

/// <summary>Draws maps, one at a time, and caches those of each run's newest checkpoint.</summary>
internal sealed class EmbeddingMaps : IDisposable
{
    private const int MaxPeople = 20;
    private const int MaxImages = 8;
    private const int Batch = 16;
    private const int MaxCached = 50;
    private const int Components = 50; // before t-SNE, as in its paper
    private const double MaxPerplexity = 15; // about the images of two people
    private const int Neighbours = 5;
    private readonly SemaphoreSlim gate = new(1);
    private readonly Dictionary<string, Embedded> cache = new(StringComparer.Ordinal);

    /// <summary>Draws the map of a run's best checkpoint, or its last.</summary>
    /// <exception cref="UniFaceException">The run has no checkpoint yet, or its data cannot be read.</exception>
    public async Task<EmbeddingMapAnswer> DrawAsync(string run, MapMethod method, CancellationToken stop)
    {
        if (!await gate.WaitAsync(TimeSpan.FromSeconds(20), stop))
        {
            throw new RefusedException(Refusal.Busy, "another map is being drawn; try again in a moment");
        }

        try
        {
            DateTime written = File.GetLastWriteTimeUtc(RunFolder.CheckpointPath(run));
            if (!cache.TryGetValue(run, out Embedded? faces) || faces.Checkpoint != written)
            {
                faces = await Task.Run(() => Embed(run, written, stop), stop);
                if (cache.Count >= MaxCached)
                {
                    cache.Clear();
                }

                cache[run] = faces;
            }

            if (!faces.Maps.TryGetValue(method, out EmbeddingMapAnswer? map))
            {
                map = await Task.Run(() => Draw(faces, method, stop), stop);
                faces.Maps[method] = map;
            }

            return map;
        }
        finally
        {
            gate.Release();
        }
    }

    public void Dispose() => gate.Dispose();

    private static Embedded Embed(string run, DateTime written, CancellationToken stop)
    {
        (Backbone backbone, RunInfo info) = RunFolder.LoadBackbone(run);
        using BackboneEmbedder embedder = new(backbone, flipSum: false, Batch);
        using FaceDataset data = info.Options.OpenData();
        using FaceDataset? validation = info.Options.OpenValidation();
        FaceDataset? unseen = info.UnseenPeople(data, validation);
        FaceDataset shown = unseen ?? data;
        (int Index, int Person)[] samples =
        [
            .. Enumerable.Range(0, shown.Samples.Count).GroupBy(i => shown.Samples[i].Label).Where(g => g.Count() > 1).OrderBy(g => g.Key).Take(MaxPeople)
                .SelectMany((g, person) => g.Take(MaxImages).Select(i => (i, person))),
        ];
        if (samples.Length < 4)
        {
            throw new UniFaceException($"{shown.Source} has too few people with several images to draw a map.");
        }

        SkiaImageDecoder decoder = new();
        EmbeddedFaces faces = BatchEmbedding.Embed(embedder, samples.Length, i => Decode(samples[i].Index), Batch, cancellation: stop);
        return new Embedded(written, unseen is not null, [.. samples.Select(s => s.Person)], faces.Values, []);

        RgbImage Decode(int index) => decoder.Decode(shown.Read(index), shown.Samples[index].Name);
    }

    private static EmbeddingMapAnswer Draw(Embedded faces, MapMethod method, CancellationToken stop)
    {
        using DisposeScope scope = NewDisposeScope();
        int count = faces.People.Length;
        (Tensor rows, double share) = PrincipalComponents.Project(tensor(faces.Embeddings, [count, faces.Embeddings.Length / count])); // [N, K]
        double perplexity = Math.Min(MaxPerplexity, (count - 1) / 3.0);
        Tensor positions = method == MapMethod.Pca ? rows.slice(1, 0, 2, 1) : TSne.Place(rows.slice(1, 0, Components, 1), perplexity, stop); // [N, 2]
        double[] points = positions.contiguous().data<double>().ToArray();
        return new EmbeddingMapAnswer(
            method,
            faces.Unseen,
            faces.People.Max() + 1,
            method == MapMethod.Pca ? share : null,
            method == MapMethod.Tsne ? perplexity : null,
            Trustworthiness.Measure(rows, positions, Math.Min(Neighbours, (count - 1) / 2)),
            faces.Checkpoint,
            [.. faces.People.Select((person, i) => new MapPoint(person, points[2 * i], points[(2 * i) + 1]))]);
    }

    /// <summary>Embeddings of a checkpoint, and the maps drawn from them.</summary>
    private sealed record Embedded(DateTime Checkpoint, bool Unseen, int[] People, float[] Embeddings, Dictionary<MapMethod, EmbeddingMapAnswer> Maps);
}
