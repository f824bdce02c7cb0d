using TorchSharp;
using UniFace.Data;
using UniFace.Embeddings;
using UniFace.Faces;
using UniFace.Training.Backbones;
using UniFace.Vision.Imaging;
using static TorchSharp.torch;

namespace UniFace.Studio.Maps;

/// <summary>Draws maps, one at a time, and caches those of each run's newest checkpoint.</summary>
internal sealed class EmbeddingMaps : IDisposable
{
    private const int MaxPeople = 20, MaxImages = 8, Batch = 16, MaxCached = 50, Neighbors = 5;
    private const int Components = 50; // before t-SNE, as in its paper
    private const double MaxPerplexity = 15; // about the images of two people

    private readonly SemaphoreSlim gate = new(1);
    private readonly Dictionary<string, Embedded> cache = new(StringComparer.Ordinal);

    /// <summary>Draws the map of a run's best checkpoint, or its last.</summary>
    /// <exception cref="UniFaceException">The run has no checkpoint yet, or its data cannot be read.</exception>
    public async Task<EmbeddingMapAnswer> DrawAsync(string run, MapMethod method, CancellationToken stop)
    {
        if (!await gate.WaitAsync(TimeSpan.FromSeconds(20), stop))
        {
            throw new ProblemException(Status503ServiceUnavailable, "another map is being drawn; try again in a moment");
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
                faces.Maps[method] = map = await Task.Run(() => Draw(faces, method, stop), stop);
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
        EmbeddedFaces faces = BatchEmbedding.Embed(embedder, samples.Length, i => Decode(samples[i].Index), Batch, cancellationToken: stop);
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
            Trustworthiness.Measure(rows, positions, Math.Min(Neighbors, (count - 1) / 2)),
            faces.Checkpoint,
            [.. faces.People.Select((person, i) => new MapPoint(person, points[2 * i], points[(2 * i) + 1]))]);
    }

    // Embeddings of a checkpoint, and the maps drawn from them.
    private sealed record Embedded(DateTime Checkpoint, bool Unseen, int[] People, float[] Embeddings, Dictionary<MapMethod, EmbeddingMapAnswer> Maps);
}
