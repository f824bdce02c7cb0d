using Microsoft.AspNetCore.Http;
using UniFace.Data;
using UniFace.Faces;
using UniFace.Training.Backbones;
using UniFace.Training.Runs;
using UniFace.Vision;

namespace UniFace.Server.Runs;

/// <summary>How embeddings are brought into two dimensions.</summary>
public enum MapMethod
{
    /// <summary>Along the two directions in which they differ most: distances and angles are true, but most of them are left out.</summary>
    Pca,

    /// <summary>t-SNE: who lies beside whom is kept, distances between groups say little.</summary>
    Tsne,
}

/// <summary>A picture on the map.</summary>
/// <param name="Person">Number of its person, from 0.</param>
/// <param name="X">Along the direction in which the embeddings differ most; of t-SNE, with no meaning of its own.</param>
/// <param name="Y">Along the second.</param>
public sealed record MapPoint(int Person, double X, double Y);

/// <summary>Unit embeddings in two dimensions.</summary>
/// <param name="Method">How they were brought there.</param>
/// <param name="Unseen">True: people that the run did not train on; false: it held nobody out, so its own.</param>
/// <param name="People">People on the map.</param>
/// <param name="Share">Share of the variance that lies in the two directions; null of t-SNE.</param>
/// <param name="Perplexity">Of t-SNE: about how many neighbours of a picture count; else null.</param>
/// <param name="Trustworthiness">How far neighbours on the map are neighbours among the embeddings, the nearest five looked at: 1 wholly, 0.5 by chance.</param>
/// <param name="Checkpoint">When the checkpoint was written that embedded them, UTC.</param>
/// <param name="Points">The pictures.</param>
public sealed record EmbeddingMapAnswer(
    MapMethod Method, bool Unseen, int People, double? Share, double? Perplexity, double Trustworthiness, DateTime Checkpoint, IReadOnlyList<MapPoint> Points);

/// <summary>Draws maps, one at a time, and keeps those of each run's newest checkpoint.</summary>
internal sealed class EmbeddingMaps : IDisposable
{
    private const int MostPeople = 20;
    private const int MostImages = 8;
    private const int Batch = 16;
    private const int MostKept = 50;
    private const int Components = 50; // before t-SNE, as in its paper
    private const double MostPerplexity = 15; // about two people's pictures
    private const int Neighbours = 5;
    private readonly SemaphoreSlim place = new(1);
    private readonly Dictionary<string, Embedded> kept = new(StringComparer.Ordinal);

    /// <summary>The map of a run's best checkpoint, or its last.</summary>
    /// <exception cref="UniFaceException">The run has no checkpoint yet, or its data cannot be read.</exception>
    public async Task<EmbeddingMapAnswer> DrawAsync(string run, MapMethod method, CancellationToken stop)
    {
        if (!await place.WaitAsync(TimeSpan.FromSeconds(20), stop))
        {
            throw new BadHttpRequestException("another map is being drawn; try again in a moment", StatusCodes.Status503ServiceUnavailable);
        }

        try
        {
            DateTime written = File.GetLastWriteTimeUtc(RunFolder.CheckpointPath(run));
            if (!kept.TryGetValue(run, out Embedded? faces) || faces.Checkpoint != written)
            {
                faces = await Task.Run(() => Embed(run, written, stop), stop);
                if (kept.Count >= MostKept)
                {
                    kept.Clear();
                }

                kept[run] = faces;
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
            place.Release();
        }
    }

    public void Dispose() => place.Dispose();

    private static Embedded Embed(string run, DateTime written, CancellationToken stop)
    {
        (Backbone backbone, RunInfo info) = RunFolder.LoadBackbone(run);
        using BackboneEmbedder embedder = new(backbone, flipSum: false, Batch);
        using FaceDataset data = FaceDatasets.Open(info.Options.Data);
        using FaceDataset? validation = info.Options.Validation is null ? null : FaceDatasets.Open(info.Options.Validation);
        FaceDataset? unseen = info.UnseenPeople(data, validation);
        FaceDataset shown = unseen ?? data;
        (int Index, int Person)[] samples =
        [
            .. Enumerable.Range(0, shown.Samples.Count).GroupBy(i => shown.Samples[i].Label).Where(g => g.Count() > 1).OrderBy(g => g.Key).Take(MostPeople)
                .SelectMany((g, person) => g.Take(MostImages).Select(i => (i, person))),
        ];
        if (samples.Length < 4)
        {
            throw new UniFaceException($"{shown.Source} has too few people with several pictures to draw a map of.");
        }

        SkiaImageDecoder decoder = new();
        List<float> embeddings = [];
        foreach ((int Index, int Person)[] batch in samples.Chunk(Batch))
        {
            stop.ThrowIfCancellationRequested();
            RgbImage[] faces = [.. batch.Select(s => decoder.Decode(shown.Read(s.Index), shown.Samples[s.Index].Name))];
            embeddings.AddRange(embedder.Embed(faces));
        }

        return new Embedded(written, unseen is not null, [.. samples.Select(s => s.Person)], [.. embeddings], []);
    }

    private static EmbeddingMapAnswer Draw(Embedded faces, MapMethod method, CancellationToken stop)
    {
        int count = faces.People.Length;
        (double[] rows, double share) = PrincipalComponents.Of(faces.Embeddings, count, int.MaxValue);
        int width = rows.Length / count;
        double[] Columns(int most) => [.. rows.Where((_, v) => v % width < most)];
        double perplexity = Math.Min(MostPerplexity, (count - 1) / 3.0);
        double[] places = method == MapMethod.Pca ? Columns(2) : TSne.Place(Columns(Components), count, perplexity, stop); // [N, 2]
        return new EmbeddingMapAnswer(
            method,
            faces.Unseen,
            faces.People.Max() + 1,
            method == MapMethod.Pca ? share : null,
            method == MapMethod.Tsne ? perplexity : null,
            Trustworthiness.Of(rows, places, count, Math.Min(Neighbours, (count - 1) / 2)),
            faces.Checkpoint,
            [.. faces.People.Select((person, i) => new MapPoint(person, places[2 * i], places[(2 * i) + 1]))]);
    }

    /// <summary>Faces as a checkpoint embeds them, and the maps that were drawn of them.</summary>
    private sealed record Embedded(DateTime Checkpoint, bool Unseen, int[] People, float[] Embeddings, Dictionary<MapMethod, EmbeddingMapAnswer> Maps);
}
