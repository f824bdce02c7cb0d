using System.Collections.Concurrent;
using System.Linq.Expressions;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.VectorData;
using Record = System.Collections.Generic.Dictionary<string, object?>;

namespace UniFace.Gallery.Tests.VectorData;

/// <summary>
/// A vector store in memory that behaves as connectors do: scores in single precision, records by value, vectors only on request. It accepts only
/// records that match its definition. Tests switch on its faults.
/// </summary>
internal sealed class MemoryVectorStore : VectorStore
{
    public ConcurrentDictionary<string, ConcurrentDictionary<object, Record>> Collections { get; } = [];

    /// <summary>How many more records it accepts before it fails; negative for no limit.</summary>
    public int Takes { get; set; } = -1;

    /// <summary>How many more deletions have no effect.</summary>
    public int Lagging { get; set; }

    /// <summary>The number of records that each search requested.</summary>
    public List<int> Asked { get; } = [];

    public override VectorStoreCollection<object, Record> GetDynamicCollection(string name, VectorStoreCollectionDefinition definition) =>
        new MemoryCollection(this, name, definition);

    public override VectorStoreCollection<TKey, TRecord> GetCollection<TKey, TRecord>(string name, VectorStoreCollectionDefinition? definition = null) =>
        throw new NotSupportedException();

    public override IAsyncEnumerable<string> ListCollectionNamesAsync(CancellationToken cancellationToken = default) => Collections.Keys.ToAsyncEnumerable();

    public override Task<bool> CollectionExistsAsync(string name, CancellationToken cancellationToken = default) =>
        Task.FromResult(Collections.ContainsKey(name));

    public override Task EnsureCollectionDeletedAsync(string name, CancellationToken cancellationToken = default) =>
        Task.FromResult(Collections.TryRemove(name, out _));

    public override object? GetService(Type serviceType, object? serviceKey = null) => null;

    private sealed class MemoryCollection(MemoryVectorStore store, string name, VectorStoreCollectionDefinition definition)
        : VectorStoreCollection<object, Record>
    {
        private readonly VectorStoreKeyProperty key = definition.Properties.OfType<VectorStoreKeyProperty>().Single();
        private readonly VectorStoreVectorProperty vector = definition.Properties.OfType<VectorStoreVectorProperty>().Single();

        public override string Name => name;

        private ConcurrentDictionary<object, Record> Records => store.Collections.TryGetValue(name, out ConcurrentDictionary<object, Record>? records)
            ? records
            : throw new VectorStoreException($"no collection {name}");

        public override Task<bool> CollectionExistsAsync(CancellationToken cancellationToken = default) => store.CollectionExistsAsync(name, cancellationToken);

        public override Task EnsureCollectionExistsAsync(CancellationToken cancellationToken = default) =>
            Task.FromResult(store.Collections.GetOrAdd(name, []));

        public override Task EnsureCollectionDeletedAsync(CancellationToken cancellationToken = default) =>
            store.EnsureCollectionDeletedAsync(name, cancellationToken);

        public override Task<Record?> GetAsync(object key, RecordRetrievalOptions? options = null, CancellationToken cancellationToken = default) =>
            Task.FromResult(Records.TryGetValue(key, out Record? record) ? Shown(record, options?.IncludeVectors ?? false) : null);

        public override async IAsyncEnumerable<Record> GetAsync(
            Expression<Func<Record, bool>> filter,
            int top,
            FilteredRecordRetrievalOptions<Record>? options = null,
            [EnumeratorCancellation] CancellationToken cancellationToken = default)
        {
            await Task.Yield();
            IEnumerable<Record> found = Records.Values.Where(filter.Compile());
            foreach (FilteredRecordRetrievalOptions<Record>.OrderByDefinition.SortInfo by in options?.OrderBy?.Invoke(new()).Values ?? [])
            {
                found = by.Ascending ? found.OrderBy(by.PropertySelector.Compile()) : found.OrderByDescending(by.PropertySelector.Compile());
            }

            foreach (Record record in found.Take(top).ToList())
            {
                cancellationToken.ThrowIfCancellationRequested();
                yield return Shown(record, options?.IncludeVectors ?? false);
            }
        }

        public override Task DeleteAsync(object key, CancellationToken cancellationToken = default)
        {
            if (store.Lagging > 0)
            {
                store.Lagging--;
                return Task.CompletedTask;
            }

            return Task.FromResult(Records.TryRemove(key, out _));
        }

        public override Task UpsertAsync(Record record, CancellationToken cancellationToken = default)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Assert.Equal(definition.Properties.Select(p => p.Name).Order(StringComparer.Ordinal), record.Keys.Order(StringComparer.Ordinal));
            Assert.All(definition.Properties, p => Assert.IsType(p.Type!, record[p.Name]));
            Assert.Equal(vector.Dimensions, ((ReadOnlyMemory<float>)record[vector.Name]!).Length);
            if (store.Takes == 0)
            {
                throw new VectorStoreException("upsert failed", new IOException("the disk\nis full"));
            }

            store.Takes--;
            Records[record[key.Name]!] = Shown(record, vectors: true);
            return Task.CompletedTask;
        }

        public override async Task UpsertAsync(IEnumerable<Record> records, CancellationToken cancellationToken = default)
        {
            foreach (Record record in records)
            {
                await UpsertAsync(record, cancellationToken);
            }
        }

        public override async IAsyncEnumerable<VectorSearchResult<Record>> SearchAsync<TInput>(
            TInput searchValue,
            int top,
            VectorSearchOptions<Record>? options = null,
            [EnumeratorCancellation] CancellationToken cancellationToken = default)
        {
            await Task.Yield();
            store.Asked.Add(top);
            float[] probe = ((ReadOnlyMemory<float>)(object)searchValue!).ToArray();
            List<(Record Record, float Score)> scored = [.. Records.Values.Select(r => (r, Cosine(probe, ((ReadOnlyMemory<float>)r[vector.Name]!).Span)))];
            foreach ((Record record, float score) in scored.OrderByDescending(r => r.Score).Take(top))
            {
                cancellationToken.ThrowIfCancellationRequested();
                yield return new VectorSearchResult<Record>(Shown(record, options?.IncludeVectors ?? false), score);
            }
        }

        public override object? GetService(Type serviceType, object? serviceKey = null) => null;

        private static float Cosine(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
        {
            float dot = 0, aa = 0, bb = 0;
            for (int i = 0; i < a.Length; i++)
            {
                dot += a[i] * b[i];
                aa += a[i] * a[i];
                bb += b[i] * b[i];
            }

            return dot / (MathF.Sqrt(aa) * MathF.Sqrt(bb));
        }

        private Record Shown(Record record, bool vectors)
        {
            Record copy = new(record);
            if (vectors)
            {
                copy[vector.Name] = (ReadOnlyMemory<float>)((ReadOnlyMemory<float>)record[vector.Name]!).ToArray();
            }
            else
            {
                copy.Remove(vector.Name);
            }

            return copy;
        }
    }
}
