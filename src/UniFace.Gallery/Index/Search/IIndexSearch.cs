namespace UniFace.Gallery.Index.Search;

/// <summary>Searches the rows of a gallery's index somewhere else than in this process.</summary>
internal interface IIndexSearch : IAsyncDisposable
{
    /// <summary>The best rows for each probe, one per person: the same rows, scores and order as of one index with all rows.</summary>
    /// <param name="probes">L2-normalized embeddings, [probes, D].</param>
    /// <param name="contractId">Contract id of the model that computed them.</param>
    /// <param name="people">How many people per probe.</param>
    /// <param name="damage">Receives what is wrong with templates that were skipped, by their ids.</param>
    /// <param name="stop">Stops the search.</param>
    Task<IndexHit[][]> SearchAsync(
        ReadOnlyMemory<float> probes, string contractId, int people, ConcurrentDictionary<long, string> damage, CancellationToken stop);
}
