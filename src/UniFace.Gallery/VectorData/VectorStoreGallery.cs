using System.Collections.Concurrent;
using System.Linq.Expressions;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Microsoft.Extensions.VectorData;
using UniFace.Gallery.Index;
using Record = System.Collections.Generic.Dictionary<string, object?>;

namespace UniFace.Gallery.VectorData;

/// <summary>
/// A gallery in any vector store that has a connector for Microsoft.Extensions.VectorData: one collection, a record a template. Nothing
/// is kept in the client, so any number of processes may use one collection.
/// </summary>
/// <remarks>
/// <para>
/// What a vector store promises differs from store to store, and the gallery promises no more: an answer misses whom the store's index
/// misses (those it finds are scored exactly); enrolled and removed templates are on its disk, seen by others and gone from its files when it
/// says so; of an enrolment that is killed some templates may be there, while one that fails is taken back.
/// </para>
/// <para>
/// The store must filter by equality and order of a property and give vectors back. A person's score is that of the best template; there are
/// no crops and no encryption by a key of the client.
/// </para>
/// </remarks>
public sealed class VectorStoreGallery : IGallery
{
    private const int Page = 1000;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly VectorStoreCollection<object, Record> collection;
    private readonly VectorStoreRecords records;
    private readonly VectorStoreGalleryOptions options;
    private readonly ConcurrentDictionary<long, string> damage = [];
    private long lastId;

    private VectorStoreGallery(VectorStoreCollection<object, Record> collection, VectorStoreRecords records, VectorStoreGalleryOptions options, GalleryInfo info)
    {
        this.collection = collection;
        this.records = records;
        this.options = options;
        Info = info;
    }

    /// <inheritdoc/>
    public GalleryInfo Info { get; }

    /// <inheritdoc/>
    public IReadOnlyCollection<string> Damage => [.. damage.Values];

    /// <summary>Makes an empty gallery.</summary>
    /// <param name="store">The store; not disposed by the gallery.</param>
    /// <param name="collection">Name of the collection to make.</param>
    /// <param name="info">What it is; <see cref="GalleryInfo.Id"/> is set here.</param>
    /// <param name="options">What the store wants to be told; null for defaults.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="UniFaceException">There is such a collection; mean scores, crops or encryption are asked for; or the store fails.</exception>
    public static async Task CreateAsync(VectorStore store, string collection, GalleryInfo info, VectorStoreGalleryOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(info);
        ArgumentException.ThrowIfNullOrEmpty(info.ContractId);
        ArgumentOutOfRangeException.ThrowIfLessThan(info.EmbeddingSize, 1);
        if (info.Scoring == PersonScore.Mean)
        {
            throw new UniFaceException("a vector store finds the most alike templates, not people by the mean of theirs: score people by their best template.");
        }

        if (info.KeepsCrops || info.Encrypted)
        {
            throw new UniFaceException($"a gallery in a vector store {(info.Encrypted ? "cannot be encrypted with a key, because the store must read what it searches: encrypt its disk" : "keeps no crops")}, or use a gallery file.");
        }

        VectorStoreGalleryOptions chosen = Check(options);
        VectorStoreRecords records = new(chosen);
        using VectorStoreCollection<object, Record> made = Collection(store, collection, records.Definition(info.EmbeddingSize));
        await RunAsync(collection, async () =>
        {
            if (await made.CollectionExistsAsync(cancellationToken).ConfigureAwait(false))
            {
                throw new UniFaceException($"{collection}: exists already in the vector store; choose another name.");
            }

            await made.EnsureCollectionExistsAsync(cancellationToken).ConfigureAwait(false);
            await made.UpsertAsync(records.Info(info with { Id = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16)) }), cancellationToken).ConfigureAwait(false);
        }).ConfigureAwait(false);
    }

    /// <summary>Opens a gallery.</summary>
    /// <param name="store">The store; not disposed by the gallery.</param>
    /// <param name="collection">Name of its collection.</param>
    /// <param name="model">The model whose embeddings it must hold; its size is needed to open the collection.</param>
    /// <param name="options">As the gallery was created with; null for defaults.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="UniFaceException">No such collection, or none of a gallery; of another model; or the store fails.</exception>
    public static async Task<VectorStoreGallery> OpenAsync(VectorStore store, string collection, (string ContractId, int EmbeddingSize) model, VectorStoreGalleryOptions? options = null, CancellationToken cancellationToken = default)
    {
        VectorStoreGalleryOptions chosen = Check(options);
        VectorStoreRecords records = new(chosen);
        VectorStoreCollection<object, Record> opened = Collection(store, collection, records.Definition(model.EmbeddingSize));
        try
        {
            Record? record = await RunAsync(collection, async () => await opened.CollectionExistsAsync(cancellationToken).ConfigureAwait(false)
                ? await opened.GetAsync(records.InfoKey, new RecordRetrievalOptions(), cancellationToken).ConfigureAwait(false)
                : throw new UniFaceException($"{collection}: the vector store has no such collection; create the gallery first.")).ConfigureAwait(false);
            GalleryInfo info = (record is null ? null : VectorStoreRecords.ReadInfo(record))
                ?? throw new UniFaceException($"{collection}: a collection, but not of a gallery; create one under another name.");
            info.EnsureContract(model.ContractId);
            return info.EmbeddingSize == model.EmbeddingSize
                ? new VectorStoreGallery(opened, records, chosen, info)
                : throw new UniFaceException($"{collection}: the gallery's embeddings have {info.EmbeddingSize} values, the model's {model.EmbeddingSize}.");
        }
        catch
        {
            opened.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<long>> EnrollAsync(IReadOnlyList<Enrolment> enrolments, string contractId, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(enrolments);
        Info.EnsureEnrolments(enrolments, contractId);
        cancellationToken.ThrowIfCancellationRequested();
        if (enrolments.Count == 0)
        {
            return [];
        }

        // A photo's key is made of the photo and its person, so that it is found again, and two who enrol it at once write one record.
        Dictionary<object, long> known = [];
        foreach (object[] some in enrolments.Where(e => e.PhotoSha256 is not null).Select(e => records.KeyOf(e, Info)).Distinct().Chunk(Page))
        {
            await RunAsync(collection.Name, async () =>
            {
                await foreach (Record record in collection.GetAsync(some, new RecordRetrievalOptions(), cancellationToken).ConfigureAwait(false))
                {
                    known[record[VectorStoreRecords.Key]!] = VectorStoreRecords.Number(record, VectorStoreRecords.Id);
                }
            }).ConfigureAwait(false);
        }

        long first = NextIds(enrolments.Count);
        List<long> ids = [];
        List<Record> written = [];
        foreach (Enrolment enrolment in enrolments)
        {
            object key = records.KeyOf(enrolment, Info);
            if (known.TryAdd(key, first + ids.Count))
            {
                written.Add(VectorStoreRecords.Template(key, first + ids.Count, enrolment, Info));
            }

            ids.Add(known[key]);
        }

        try
        {
            foreach (Record[] some in written.Chunk(Page))
            {
                await RunAsync(collection.Name, () => collection.UpsertAsync(some, cancellationToken)).ConfigureAwait(false);
            }
        }
        catch
        {
            // All or none, as far as the store still answers.
            await RunAsync(collection.Name, () => collection.DeleteAsync(written.Select(r => r[VectorStoreRecords.Key]!), CancellationToken.None)).ConfigureAwait(false);
            throw;
        }

        return ids;
    }

    /// <inheritdoc/>
    /// <remarks>Deletes every record of the person; what the store then leaves in its files, logs and copies is the store's matter.</remarks>
    public async Task<bool> RemoveAsync(string person, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(person);
        HashSet<object> deleted = [];
        DateTime end = DateTime.UtcNow + Patience;
        while (person.Length > 0)
        {
            List<Record> found = await ReadAsync(r => (string)r[VectorStoreRecords.Person]! == person, ordered: false, cancellationToken).ConfigureAwait(false);
            if (found.Count == 0)
            {
                break;
            }

            object[] keys = [.. found.Select(r => r[VectorStoreRecords.Key]!)];
            if (Array.TrueForAll(keys, deleted.Contains))
            {
                // A store may show deleted records for a moment.
                await Task.Delay(100, cancellationToken).ConfigureAwait(false);
            }

            if (DateTime.UtcNow > end)
            {
                throw new UniFaceException($"{collection.Name}: the vector store still has records of {person} after they were deleted; remove the person again later.");
            }

            await RunAsync(collection.Name, () => collection.DeleteAsync(keys, cancellationToken)).ConfigureAwait(false);
            deleted.UnionWith(keys);
        }

        damage.Clear();
        return deleted.Count > 0;
    }

    /// <inheritdoc/>
    /// <remarks>Reads every record, without its vector.</remarks>
    public async IAsyncEnumerable<GalleryPerson> ListAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        List<string> order = [];
        Dictionary<string, int> templates = [];
        await foreach (string person in PeopleAsync(cancellationToken).ConfigureAwait(false))
        {
            if (!templates.TryAdd(person, 1))
            {
                templates[person]++;
                continue;
            }

            order.Add(person);
        }

        foreach (string person in order)
        {
            yield return new GalleryPerson(person, templates[person]);
        }
    }

    /// <inheritdoc/>
    /// <remarks>Reads every record, without its vector.</remarks>
    public async Task<GalleryCounts> CountAsync(CancellationToken cancellationToken = default)
    {
        HashSet<string> people = [];
        long templates = 0;
        await foreach (string person in PeopleAsync(cancellationToken).ConfigureAwait(false))
        {
            people.Add(person);
            templates++;
        }

        return new GalleryCounts(people.Count, templates);
    }

    /// <inheritdoc/>
    /// <remarks>
    /// Exact where the store compares with every template. It does so in single precision, so all are fetched that its rounding may have
    /// put behind the last one named, and scored by <see cref="ExactScore"/>; up to <see cref="VectorStoreGalleryOptions.LargestSearch"/>.
    /// </remarks>
    public async Task<IReadOnlyList<IReadOnlyList<GalleryCandidate>>> SearchAsync(ReadOnlyMemory<float> probes, string contractId, int people, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(people, 1);
        Info.EnsureProbes(probes.Span, contractId);
        List<IReadOnlyList<GalleryCandidate>> answers = [];
        for (int at = 0; at < probes.Length; at += Info.EmbeddingSize)
        {
            answers.Add(await RunAsync(collection.Name, () => SearchAsync(probes.Slice(at, Info.EmbeddingSize), people, cancellationToken)).ConfigureAwait(false));
        }

        return answers;
    }

    /// <summary>Lets go of the collection; the store stays open.</summary>
    public ValueTask DisposeAsync()
    {
        collection.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task<IReadOnlyList<GalleryCandidate>> SearchAsync(ReadOnlyMemory<float> probe, int people, CancellationToken stop)
    {
        // Twice the error of a sum of D products in single precision, norms being up to 1.001 (Higham, Accuracy and Stability, 3.1), and
        // of the norms that a store may divide by.
        double slack = 4 * (Info.EmbeddingSize + 4) * Math.Pow(2, -24);
        for (long rows = (4L * people) + 32; ; rows *= 8)
        {
            int asked = (int)Math.Min(rows, Math.Max(options.LargestSearch, people));
            List<(string Person, long Id, double Score)> found = [];
            int given = 0;
            await foreach (VectorSearchResult<Record> result in collection.SearchAsync(probe, asked, new VectorSearchOptions<Record> { IncludeVectors = true }, stop).ConfigureAwait(false))
            {
                given++;
                if (Read(result.Record, probe.Span) is (string, long, double) hit)
                {
                    found.Add(hit);
                }
            }

            found.Sort((a, b) => a.Score != b.Score ? b.Score.CompareTo(a.Score) : a.Id.CompareTo(b.Id));
            GalleryCandidate[] best = [.. found.DistinctBy(f => f.Person).Take(people).Select(f => new GalleryCandidate(f.Person, f.Score))];
            bool all = given < asked, limit = asked < rows || asked >= options.LargestSearch;
            if (all || limit || (best.Length == people && found[^1].Score < best[^1].Score - slack))
            {
                return [.. best.Select(b => b with { Score = Math.Clamp(b.Score, -1, 1) })];
            }
        }
    }

    // Null for the record of the gallery itself, and for a damaged one.
    private (string Person, long Id, double Score)? Read(Record record, ReadOnlySpan<float> probe)
    {
        string person = VectorStoreRecords.Text(record, VectorStoreRecords.Person);
        if (person.Length == 0)
        {
            return null;
        }

        if (VectorStoreRecords.Text(record, VectorStoreRecords.Contract) != Info.ContractId || VectorStoreRecords.Text(record, VectorStoreRecords.Gallery) != Info.Id)
        {
            throw new UniFaceException($"{collection.Name}: holds a record of another model or gallery ({person}): embeddings of two models cannot be compared; remove it, or create the gallery anew.");
        }

        ReadOnlyMemory<float> embedding = VectorStoreRecords.Embedding(record) is ReadOnlyMemory<float> given && given.Length == probe.Length
            ? given
            : throw new UniFaceException($"{collection.Name}: the vector store gave no embedding of {probe.Length} values with a record of {person}; use a store that gives vectors back.");
        long id = VectorStoreRecords.Number(record, VectorStoreRecords.Id);
        if (!Info.IsSound(embedding.Span))
        {
            damage[id] = EmbeddingCheck.Damaged(person, id, "its norm is not 1");
            return null;
        }

        return (person, id, ExactScore.Of(probe, embedding.Span));
    }

    // Person of each template, in the order of enrolment.
    private async IAsyncEnumerable<string> PeopleAsync([EnumeratorCancellation] CancellationToken stop)
    {
        long last = 1;
        HashSet<object> seen = []; // Keys of the last id: see NextIds.
        List<Record> page;
        do
        {
            long from = last;
            page = await ReadAsync(r => (long)r[VectorStoreRecords.Id]! >= from, ordered: true, stop).ConfigureAwait(false);
            foreach (Record record in page)
            {
                long id = VectorStoreRecords.Number(record, VectorStoreRecords.Id);
                if (id != last)
                {
                    seen.Clear();
                    last = id;
                }

                if (seen.Add(record[VectorStoreRecords.Key]!))
                {
                    yield return VectorStoreRecords.Text(record, VectorStoreRecords.Person);
                }
            }
        }
        while (page.Count == Page);
    }

    private Task<List<Record>> ReadAsync(Expression<Func<Record, bool>> filter, bool ordered, CancellationToken stop) => RunAsync(collection.Name, async () =>
    {
        FilteredRecordRetrievalOptions<Record> how = new() { OrderBy = ordered ? by => by.Ascending(r => r[VectorStoreRecords.Id]) : null };
        List<Record> found = [];
        await foreach (Record record in collection.GetAsync(filter, Page, how, stop).ConfigureAwait(false))
        {
            found.Add(record);
        }

        return found;
    });

    // Microseconds of the clock, or the one after the last: rising, never used again by a process, and exact as a double, which
    // is what some stores keep numbers as. Two processes that write in the same microsecond share ids; the keys are unique all the same.
    private long NextIds(int count)
    {
        while (true)
        {
            long last = Interlocked.Read(ref lastId), first = Math.Max(last + 1, (DateTime.UtcNow - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond);
            if (Interlocked.CompareExchange(ref lastId, first + count - 1, last) == last)
            {
                return first;
            }
        }
    }

    private static VectorStoreGalleryOptions Check(VectorStoreGalleryOptions? options)
    {
        VectorStoreGalleryOptions chosen = options ?? new VectorStoreGalleryOptions();
        ArgumentOutOfRangeException.ThrowIfLessThan(chosen.LargestSearch, 1, nameof(options));
        return chosen.KeyType == typeof(string) || chosen.KeyType == typeof(Guid)
            ? chosen
            : throw new UniFaceException($"a gallery's records have keys of type string or Guid, not {chosen.KeyType.Name}.");
    }

    private static VectorStoreCollection<object, Record> Collection(VectorStore store, string name, VectorStoreCollectionDefinition definition)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentException.ThrowIfNullOrEmpty(name);
        return store.GetDynamicCollection(name, definition);
    }

    private static Task<int> RunAsync(string name, Func<Task> work) => RunAsync(name, async () =>
    {
        await work().ConfigureAwait(false);
        return 0;
    });

    private static async Task<T> RunAsync<T>(string name, Func<Task<T>> work)
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
