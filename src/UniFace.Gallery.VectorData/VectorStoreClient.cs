using System.Linq.Expressions;
using Microsoft.Extensions.VectorData;
using Record = System.Collections.Generic.Dictionary<string, object?>;

namespace UniFace.Gallery.VectorData;

/// <summary>A collection of a vector store; reports the store's errors as messages for the user.</summary>
internal sealed class VectorStoreClient(VectorStore store, string name, VectorStoreCollectionDefinition definition) : IDisposable
{
    /// <summary>Maximum number of records per request, other than a search.</summary>
    public const int PageSize = 1000;

    private readonly VectorStoreCollection<object, Record> collection = store.GetDynamicCollection(name, definition);

    /// <summary>Name of the collection.</summary>
    public string Name => name;

    /// <summary>True if the store has the collection.</summary>
    public Task<bool> ExistsAsync(CancellationToken stop) => GuardAsync(() => collection.CollectionExistsAsync(stop));

    /// <summary>Creates the collection.</summary>
    public Task CreateAsync(CancellationToken stop) => GuardAsync(() => collection.EnsureCollectionExistsAsync(stop));

    /// <summary>Writes records, in several requests if there are many.</summary>
    public Task UpsertAsync(IReadOnlyList<Record> records, CancellationToken stop) => GuardAsync(async () =>
    {
        foreach (Record[] some in records.Chunk(PageSize))
        {
            await collection.UpsertAsync(some, stop).ConfigureAwait(false);
        }
    });

    /// <summary>Deletes records.</summary>
    public Task DeleteAsync(IEnumerable<object> keys, CancellationToken stop) => GuardAsync(() => collection.DeleteAsync(keys, stop));

    /// <summary>Records by key, without vectors; keys that do not exist are skipped.</summary>
    public Task<List<Record>> GetAsync(IEnumerable<object> keys, CancellationToken stop) => GuardAsync(async () =>
    {
        List<Record> found = [];
        foreach (object[] some in keys.Chunk(PageSize))
        {
            found.AddRange(await collection.GetAsync(some, new RecordRetrievalOptions(), stop).ToListAsync(stop).ConfigureAwait(false));
        }

        return found;
    });

    /// <summary>A page of records that match a filter, without vectors; optionally in the order of the templates' ids.</summary>
    public Task<List<Record>> QueryAsync(Expression<Func<Record, bool>> filter, bool ordered, CancellationToken stop)
    {
        FilteredRecordRetrievalOptions<Record> options = new() { OrderBy = ordered ? by => by.Ascending(r => r[VectorStoreRecords.Id]) : null };
        return GuardAsync(() => collection.GetAsync(filter, PageSize, options, stop).ToListAsync(stop).AsTask());
    }

    /// <summary>The records that the store ranks first for a probe, with vectors.</summary>
    public Task<List<Record>> SearchAsync(ReadOnlyMemory<float> probe, int count, CancellationToken stop)
    {
        VectorSearchOptions<Record> options = new() { IncludeVectors = true };
        return GuardAsync(() => collection.SearchAsync(probe, count, options, stop).Select(r => r.Record).ToListAsync(stop).AsTask());
    }

    /// <summary>Releases the collection; the store stays open.</summary>
    public void Dispose() => collection.Dispose();

    private Task<int> GuardAsync(Func<Task> work) => GuardAsync(async () =>
    {
        await work().ConfigureAwait(false);
        return 0;
    });

    private async Task<T> GuardAsync<T>(Func<Task<T>> work)
    {
        try
        {
            return await work().ConfigureAwait(false);
        }
        catch (VectorStoreException e)
        {
            throw new UniFaceException($"{name}: the vector store fails: {(e.InnerException?.Message ?? e.Message).ReplaceLineEndings(" ")}", e);
        }
    }
}
