using Microsoft.Extensions.VectorData;
using UniFace.Gallery.Stores;
using static UniFace.Gallery.VectorData.VectorStoreRecords;
using Record = System.Collections.Generic.Dictionary<string, object?>;

namespace UniFace.Gallery.VectorData;

/// <summary>
/// A gallery in any vector store that has a connector for Microsoft.Extensions.VectorData: one collection with a record per template. The
/// client caches nothing, so any number of processes may use one collection.
/// </summary>
/// <remarks>
/// <para>
/// Guarantees differ between vector stores, and the gallery gives no more than its store. A search misses people whom the store's index misses;
/// people who are found are scored exactly. The store decides when changes are on its disk, visible to others and erased from its files. If an
/// enrollment is killed, some of its templates may stay; if it fails, they are removed.
/// </para>
/// <para>
/// The store must support equality filters and ordering by a property, and must return vectors. People are scored by their best template;
/// crops and encryption with a key of the client are not supported.
/// </para>
/// </remarks>
internal sealed class VectorStoreGallery : ITemplateGallery
{
    private static readonly TimeSpan WaitTimeout = TimeSpan.FromSeconds(20);

    private readonly VectorStoreClient client;
    private readonly VectorStoreRecords records;
    private readonly ConcurrentDictionary<long, string> damage = [];
    private readonly Lock idGate = new();
    private long lastId;

    private VectorStoreGallery(VectorStoreClient client, VectorStoreRecords records, GalleryInfo info)
    {
        (this.client, this.records, Info) = (client, records, info);
    }

    /// <inheritdoc/>
    public GalleryInfo Info { get; }

    /// <inheritdoc/>
    public IReadOnlyCollection<string> Damage => [.. damage.Values];

    /// <summary>Creates an empty gallery.</summary>
    /// <param name="store">The store; the gallery does not dispose it.</param>
    /// <param name="collection">Name of the collection to create.</param>
    /// <param name="info">Properties of the gallery; <see cref="GalleryInfo.Id"/> is ignored.</param>
    /// <param name="options">Settings of the collection; null for defaults.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    /// <exception cref="UniFaceException">The collection exists; mean scores, crops or encryption are requested; or the store fails.</exception>
    public static async Task CreateAsync(
        VectorStore store, string collection, GalleryInfo info, VectorStoreGalleryOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(info);
        GalleryInfo created = info.ForCreation();
        if (info.Scoring == PersonScore.Mean)
        {
            throw new UniFaceException(
                "a vector store finds the most similar templates, not people by the mean of their templates: score people by their best template");
        }

        if (info.Encrypted)
        {
            throw new UniFaceException(
                "a gallery in a vector store cannot be encrypted with a key, because the store must read what it searches: " +
                "encrypt its disk, or use a gallery file");
        }

        if (info.KeepsCrops)
        {
            throw new UniFaceException("a gallery in a vector store keeps no crops; use a gallery file");
        }

        VectorStoreRecords records = new(options ?? new());
        using VectorStoreClient client = new(store, collection, records.Definition(info.EmbeddingSize));
        if (await client.ExistsAsync(cancellationToken).ConfigureAwait(false))
        {
            throw new UniFaceException($"{collection}: already exists in the vector store; choose another name");
        }

        await client.CreateAsync(cancellationToken).ConfigureAwait(false);
        await client.UpsertAsync([records.CreateInfo(created)], cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Opens a gallery.</summary>
    /// <param name="store">The store; the gallery does not dispose it.</param>
    /// <param name="collection">Name of its collection.</param>
    /// <param name="model">The model of its embeddings; the size is needed to open the collection.</param>
    /// <param name="options">The settings that it was created with; null for defaults.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    /// <exception cref="UniFaceException">The collection does not exist, is not a gallery, or is of another model; or the store fails.</exception>
    public static async Task<VectorStoreGallery> OpenAsync(
        VectorStore store,
        string collection,
        (string ContractId, int EmbeddingSize) model,
        VectorStoreGalleryOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(store);
        VectorStoreRecords records = new(options ?? new());
        VectorStoreClient client = new(store, collection, records.Definition(model.EmbeddingSize));
        try
        {
            if (!await client.ExistsAsync(cancellationToken).ConfigureAwait(false))
            {
                throw new UniFaceException($"{collection}: the vector store has no such collection; create the gallery first");
            }

            List<Record> described = await client.GetAsync([records.InfoKey], cancellationToken).ConfigureAwait(false);
            GalleryInfo info = described.Select(ReadInfo).FirstOrDefault()
                ?? throw new UniFaceException($"{collection}: the collection is not a gallery; create a gallery under another name");
            info.EnsureContract(model.ContractId);
            return info.EmbeddingSize == model.EmbeddingSize
                ? new VectorStoreGallery(client, records, info)
                : throw new UniFaceException($"{collection}: the gallery's embeddings have {info.EmbeddingSize} values, the model's {model.EmbeddingSize}");
        }
        catch
        {
            client.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<long>> EnrollAsync(
        IReadOnlyList<Enrollment> enrollments, string contractId, CancellationToken cancellationToken = default)
    {
        Info.EnsureEnrollments(enrollments, contractId);
        cancellationToken.ThrowIfCancellationRequested();

        // The key of a photo's record is derived from the photo and its person: two processes that enroll it simultaneously write one record.
        IEnumerable<object> photos = enrollments.Where(e => e.PhotoSha256 is not null).Select(e => records.CreateKey(e, Info)).Distinct();
        Dictionary<object, long> known = (await client.GetAsync(photos, cancellationToken).ConfigureAwait(false))
            .ToDictionary(r => r[Key]!, GetId);
        long first = NextIds(enrollments.Count);
        List<long> ids = [];
        List<Record> written = [];
        foreach (Enrollment enrollment in enrollments)
        {
            object key = records.CreateKey(enrollment, Info);
            long id = first + ids.Count;
            if (known.TryAdd(key, id))
            {
                written.Add(CreateTemplate(key, id, enrollment, Info));
            }

            ids.Add(known[key]);
        }

        try
        {
            await client.UpsertAsync(written, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            // All or none, as far as the store still responds.
            await client.DeleteAsync(written.Select(r => r[Key]!), CancellationToken.None).ConfigureAwait(false);
            throw;
        }

        return ids;
    }

    /// <inheritdoc/>
    /// <remarks>Deletes every record of the person; the store decides what stays in its files, logs and copies.</remarks>
    public async Task<bool> RemoveAsync(string person, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(person);
        HashSet<object> deleted = [];
        long start = Stopwatch.GetTimestamp();
        while (person.Length > 0)
        {
            List<Record> found = await client.QueryAsync(
                r => (string)r[Person]! == person, ordered: false, cancellationToken).ConfigureAwait(false);
            if (found.Count == 0)
            {
                break;
            }

            object[] keys = [.. found.Select(r => r[Key]!)];
            if (Array.TrueForAll(keys, deleted.Contains))
            {
                // A store may show deleted records for a moment.
                await Task.Delay(100, cancellationToken).ConfigureAwait(false);
            }

            if (Stopwatch.GetElapsedTime(start) > WaitTimeout)
            {
                throw new UniFaceException(
                    $"{client.Name}: the vector store still has records of {person} after they were deleted; remove the person again later");
            }

            await client.DeleteAsync(keys, cancellationToken).ConfigureAwait(false);
            deleted.UnionWith(keys);
        }

        damage.Clear();
        return deleted.Count > 0;
    }

    /// <inheritdoc/>
    /// <remarks>Reads every record, without its vector.</remarks>
    public async IAsyncEnumerable<GalleryPerson> ListAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        OrderedDictionary<string, int> templates = [];
        await foreach (string person in ReadPeopleAsync(cancellationToken).ConfigureAwait(false))
        {
            templates[person] = templates.GetValueOrDefault(person) + 1;
        }

        foreach ((string person, int count) in templates)
        {
            yield return new GalleryPerson(person, count);
        }
    }

    /// <inheritdoc/>
    /// <remarks>Reads every record, without its vector.</remarks>
    public async Task<GalleryCounts> CountAsync(CancellationToken cancellationToken = default)
    {
        List<GalleryPerson> people = await ListAsync(cancellationToken).ToListAsync(cancellationToken).ConfigureAwait(false);
        return new GalleryCounts(people.Count, people.Sum(p => (long)p.Templates));
    }

    /// <inheritdoc/>
    /// <remarks>
    /// Exact if the store compares with every template. The store does so in single precision; all templates that its rounding may have ranked too
    /// low are fetched and scored in double precision, up to <see cref="VectorStoreGalleryOptions.LargestSearch"/>.
    /// </remarks>
    public async Task<IReadOnlyList<IReadOnlyList<GalleryCandidate>>> SearchAsync(
        ReadOnlyMemory<float> probes, string contractId, int people, CancellationToken cancellationToken = default)
    {
        Info.EnsureProbes(probes.Span, contractId, people);
        return await Shortlist.SearchAsync(Info, probes, probe => FindAsync(probe, people, cancellationToken)).ConfigureAwait(false);
    }

    /// <summary>Releases the collection; the store stays open.</summary>
    public ValueTask DisposeAsync()
    {
        client.Dispose();
        return ValueTask.CompletedTask;
    }

    private Task<IReadOnlyList<GalleryCandidate>> FindAsync(ReadOnlyMemory<float> probe, int people, CancellationToken stop)
    {
        // Twice the error of a sum of D products in single precision for norms up to 1.001 (Higham, Accuracy and Stability, 3.1), and of the norms
        // that a store may divide by.
        double tolerance = 4 * (Info.EmbeddingSize + 4) * Math.Pow(2, -24);
        return Shortlist.FindAsync(people, tolerance, records.Options.LargestSearch, async count =>
        {
            List<Record> returned = await client.SearchAsync(probe, count, stop).ConfigureAwait(false);
            return (returned.Count, [.. returned.Select(r => Score(r, probe.Span)).OfType<ScoredTemplate>()]);
        });
    }

    // Null for the record that describes the gallery, and for a damaged one.
    private ScoredTemplate? Score(Record record, ReadOnlySpan<float> probe)
    {
        string person = GetText(record, Person);
        if (person.Length == 0)
        {
            return null;
        }

        if (GetText(record, Contract) != Info.ContractId
            || GetText(record, VectorStoreRecords.Gallery) != Info.Id)
        {
            throw new UniFaceException(
                $"{client.Name}: holds a record of another model or gallery ({person}): embeddings of different models cannot be compared; remove it, or " +
                "create the gallery again");
        }

        return GetEmbedding(record) is ReadOnlyMemory<float> embedding && embedding.Length == probe.Length
            ? Shortlist.Score(Info, person, GetId(record), embedding.Span, probe, damage)
            : throw new UniFaceException(
                $"{client.Name}: the vector store returned no embedding of {probe.Length} values with a record of {person}; use a store that returns vectors");
    }

    // The person of each template, in the order of enrollment.
    private async IAsyncEnumerable<string> ReadPeopleAsync([EnumeratorCancellation] CancellationToken stop)
    {
        long last = 1;
        HashSet<object> seen = []; // Keys of the records with the last id; see NextIds.
        List<Record> page;
        do
        {
            long from = last;
            page = await client.QueryAsync(r => (long)r[Id]! >= from, ordered: true, stop).ConfigureAwait(false);
            foreach (Record record in page)
            {
                long id = GetId(record);
                if (id != last)
                {
                    seen.Clear();
                    last = id;
                }

                if (seen.Add(record[Key]!))
                {
                    yield return GetText(record, Person);
                }
            }
        }
        while (page.Count == VectorStoreClient.PageSize);
    }

    // Microseconds of the clock, or the number after the last: ascending, never reused by a process, and exact as a double, in which some stores
    // keep numbers. Two processes that write in the same microsecond share ids; their keys are unique all the same.
    private long NextIds(int count)
    {
        lock (idGate)
        {
            long first = Math.Max(lastId + 1, (DateTime.UtcNow - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond);
            lastId = first + count - 1;
            return first;
        }
    }
}
