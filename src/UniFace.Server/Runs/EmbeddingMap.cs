using Microsoft.AspNetCore.Http;
using TorchSharp;
using UniFace.Data;
using UniFace.Faces;
using UniFace.Training;
using UniFace.Training.Backbones;
using UniFace.Vision;
using static TorchSharp.torch;

namespace UniFace.Server.Runs;

/// <summary>A picture on the map.</summary>
/// <param name="Person">Number of its person, from 0.</param>
/// <param name="X">Along the direction in which the embeddings differ most.</param>
/// <param name="Y">Along the second.</param>
public sealed record MapPoint(int Person, double X, double Y);

/// <summary>Embeddings seen from the two directions in which they differ most: principal component analysis of unit embeddings.</summary>
/// <param name="Unseen">True: people that the run did not train on; false: it held nobody out, so its own.</param>
/// <param name="People">People on the map.</param>
/// <param name="Share">Share of the variance that lies in the two directions.</param>
/// <param name="Checkpoint">When the checkpoint was written that embedded them, UTC.</param>
/// <param name="Points">The pictures.</param>
public sealed record EmbeddingMapAnswer(bool Unseen, int People, double Share, DateTime Checkpoint, IReadOnlyList<MapPoint> Points);

/// <summary>Draws maps, one at a time, and keeps the last one of each checkpoint.</summary>
internal sealed class EmbeddingMaps : IDisposable
{
    private const int MostPeople = 20;
    private const int MostImages = 8;
    private const int Batch = 16;
    private const int MostKept = 50;
    private readonly SemaphoreSlim place = new(1);
    private readonly Dictionary<string, EmbeddingMapAnswer> kept = new(StringComparer.Ordinal);

    /// <summary>The map of a run's best checkpoint, or its last.</summary>
    /// <exception cref="UniFaceException">The run has no checkpoint yet, or its data cannot be read.</exception>
    public async Task<EmbeddingMapAnswer> DrawAsync(string run, CancellationToken stop)
    {
        if (!await place.WaitAsync(TimeSpan.FromSeconds(20), stop))
        {
            throw new BadHttpRequestException("another map is being drawn; try again in a moment", StatusCodes.Status503ServiceUnavailable);
        }

        try
        {
            DateTime written = File.GetLastWriteTimeUtc(TrainingRun.CheckpointPath(run));
            if (!kept.TryGetValue(run, out EmbeddingMapAnswer? map) || map.Checkpoint != written)
            {
                map = await Task.Run(() => Draw(run, written, stop), stop);
                if (kept.Count >= MostKept)
                {
                    kept.Clear();
                }

                kept[run] = map;
            }

            return map;
        }
        finally
        {
            place.Release();
        }
    }

    public void Dispose() => place.Dispose();

    private static EmbeddingMapAnswer Draw(string run, DateTime written, CancellationToken stop)
    {
        (Backbone backbone, RunInfo info) = TrainingRun.LoadBackbone(run);
        using BackboneEmbedder embedder = new(backbone, flipSum: false, Batch);
        using FaceDataset data = FaceDatasets.Open(info.Options.Data);
        using FaceDataset? validation = info.Options.Validation is null ? null : FaceDatasets.Open(info.Options.Validation);
        FaceDataset? unseen = TrainingRun.UnseenPeople(info, data, validation);
        FaceDataset shown = unseen ?? data;
        (int Index, int Person)[] samples =
        [
            .. Enumerable.Range(0, shown.Samples.Count).GroupBy(i => shown.Samples[i].Label).Where(g => g.Count() > 1).OrderBy(g => g.Key).Take(MostPeople)
                .SelectMany((g, person) => g.Take(MostImages).Select(i => (i, person))),
        ];
        if (samples.Length < 3)
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

        (double[] x, double[] y, double share) = Project([.. embeddings], samples.Length);
        return new EmbeddingMapAnswer(unseen is not null, samples.Max(s => s.Person) + 1, share, written, [.. samples.Select((s, i) => new MapPoint(s.Person, x[i], y[i]))]);
    }

    /// <summary>The two principal components of unit rows, and the share of the variance in them.</summary>
    internal static (double[] X, double[] Y, double Share) Project(float[] embeddings, int count)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable none = no_grad();
        Tensor rows = nn.functional.normalize(tensor(embeddings, [count, embeddings.Length / count]).to(ScalarType.Float64), dim: 1); // [N, D]
        Tensor centered = rows - rows.mean([0L], keepdim: true);
        (Tensor left, Tensor values, Tensor _) = linalg.svd(centered, fullMatrices: false); // [N, K], [K]
        Tensor places = left.narrow(1, 0, 2) * values.narrow(0, 0, 2); // [N, 2]
        double[] squares = values.square().data<double>().ToArray();
        double total = squares.Sum();
        double[] Column(int c) => places.select(1, c).contiguous().data<double>().ToArray();
        return (Column(0), Column(1), total > 0 ? (squares[0] + squares[1]) / total : 0);
    }
}
