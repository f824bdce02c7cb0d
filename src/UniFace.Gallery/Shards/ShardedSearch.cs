using UniFace.Gallery.Index.Search;

namespace UniFace.Gallery.Shards;

/// <summary>
/// An exact index that several processes hold, each a contiguous range of the rows; all read the same gallery file and follow its changes.
/// </summary>
/// <remarks>
/// Each process returns the best k people of its rows, with the scores and in the order of <see cref="IndexHit"/>. A person among the best k of all
/// rows is among the best k where the person's best row is, so merging these answers by the same order gives the answer of one index. Ids are given
/// by the gallery in the order of enrollment, whatever the range, so equal scores are ordered as in one index.
/// </remarks>
internal sealed class ShardedSearch : IIndexSearch
{
    private readonly ShardProcess[] processes;

    /// <param name="path">The gallery file.</param>
    /// <param name="key">Its key; null if it is not encrypted.</param>
    /// <param name="ranges">The rows of each process.</param>
    /// <param name="unit">What the rows are, for errors, e.g. "templates".</param>
    /// <param name="program">The program that runs <see cref="ShardWorker"/>.</param>
    public ShardedSearch(string path, GalleryKey? key, IndexRange[] ranges, string unit, Func<ProcessStartInfo> program)
    {
        int threads = Math.Max(1, Environment.ProcessorCount / ranges.Length);
        processes = [.. ranges.Select((range, i) => new ShardProcess(
            new ShardStart(path, key?.Bytes, range, threads),
            FormattableString.Invariant($"search process {i + 1} of {ranges.Length} ({Name(range, unit)})"),
            program))];
    }

    /// <summary>The processes.</summary>
    internal IReadOnlyList<ShardProcess> Processes => processes;

    /// <inheritdoc/>
    public async Task<IndexHit[][]> SearchAsync(
        ReadOnlyMemory<float> probes, string contractId, int people, ConcurrentDictionary<long, string> damage, CancellationToken stop)
    {
        ShardRequest request = new(probes, contractId, people);
        ShardAnswer[] answers = await Task.WhenAll(processes.Select(p => p.SearchAsync(request, stop))).ConfigureAwait(false);
        foreach ((long id, string text) in answers.SelectMany(a => a.Damage))
        {
            damage[id] = text;
        }

        return [.. Enumerable.Range(0, answers[0].Hits.Length).Select(probe => Merge(answers.SelectMany(a => a.Hits[probe]), people))];
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (ShardProcess process in processes)
        {
            await process.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>The best hits, one per person.</summary>
    internal static IndexHit[] Merge(IEnumerable<IndexHit> hits, int people)
    {
        BestHits best = new(people, distinctKeys: true);
        foreach (IndexHit hit in hits)
        {
            best.Add(hit);
        }

        return best.ToArray();
    }

    private static string Name(IndexRange range, string unit) => range.End == IndexRange.All.End
        ? FormattableString.Invariant($"{unit} from {range.First}")
        : FormattableString.Invariant($"{unit} {range.First} to {range.End - 1}");
}
