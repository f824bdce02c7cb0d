using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Microsoft.Data.Sqlite;
using UniFace.Gallery.Index;

namespace UniFace.Gallery.Sqlite;

/// <summary>
/// A gallery in one SQLite file: the truth, written by one process at a time and read by many. Searches run on an exact index in memory,
/// a projection of the database that follows it change by change; stored beside it as FILE.index it
/// lets the next start read little. An encrypted gallery stores no index.
/// </summary>
public sealed partial class SqliteGallery : IStoredGallery
{
    /// <summary>Key of <see cref="GalleryInfo.Generation"/> in what a gallery says of itself.</summary>
    internal const string GenerationKey = "generation";

    private readonly GalleryDatabase database;
    private readonly RecordCipher cipher;
    private readonly GalleryRecords records;
    private GalleryProjection projection;
    private volatile GalleryInfo info;

    private SqliteGallery(GalleryDatabase database, RecordCipher cipher, GalleryInfo info)
    {
        this.database = database;
        this.cipher = cipher;
        this.info = info;
        records = new GalleryRecords(database.Path, cipher);
        projection = new GalleryProjection(database, records, info);
    }

    /// <summary>What the gallery is.</summary>
    public GalleryInfo Info => info;

    /// <summary>The file.</summary>
    public string Path => database.Path;

    /// <inheritdoc/>
    public IReadOnlyCollection<string> Damage => [.. projection.Damage.OrderBy(d => d.Key).Select(d => d.Value)];

    /// <summary>Makes an empty gallery.</summary>
    /// <param name="path">File to make.</param>
    /// <param name="options">What it is; <see cref="GalleryInfo.Id"/> and <see cref="GalleryInfo.Encrypted"/> are set here.</param>
    /// <param name="key">To encrypt with; null for a gallery in the clear.</param>
    /// <exception cref="UniFaceException">The file exists, or cannot be written.</exception>
    public static void Create(string path, GalleryInfo options, GalleryKey? key = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentException.ThrowIfNullOrEmpty(options.ContractId);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.EmbeddingSize, 1);
        string id = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
        using RecordCipher cipher = new(id, key);
        GalleryDatabase.Create(path, connection =>
        {
            GalleryDatabase.SetMeta(connection, "format", GalleryDatabase.Format);
            GalleryDatabase.SetMeta(connection, "id", id);
            GalleryDatabase.SetMeta(connection, "scoring", options.Scoring.ToString());
            GalleryDatabase.SetMeta(connection, "crops", options.KeepsCrops ? 1 : 0);
            GalleryDatabase.SetMeta(connection, "encrypted", key is null ? 0 : 1);
            GalleryDatabase.SetMeta(connection, "key_check", cipher.Seal("key", 0, 0, "uniface"u8));
            GalleryDatabase.SetMeta(connection, "change", 0L);
            SetModel(connection, options.ContractId, options.EmbeddingSize, options.Package);
        });
    }

    /// <summary>Opens a gallery.</summary>
    /// <param name="path">The file.</param>
    /// <param name="key">Its key, if it is encrypted.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="UniFaceException">No such file, no gallery, damaged, of another version; no key or another one.</exception>
    public static async Task<SqliteGallery> OpenAsync(string path, GalleryKey? key = null, CancellationToken cancellationToken = default) =>
        await OpenAsync(GalleryDatabase.Open(path), path, key, cancellationToken).ConfigureAwait(false);

    /// <summary>Opens a gallery of a database.</summary>
    internal static async Task<SqliteGallery> OpenAsync(GalleryDatabase database, string path, GalleryKey? key, CancellationToken cancellationToken)
    {
        RecordCipher? cipher = null;
        try
        {
            GalleryInfo info = await database.ReadAsync(c => ReadInfo(c, path), cancellationToken).ConfigureAwait(false);
            if (info.Encrypted != key is not null)
            {
                throw new UniFaceException(info.Encrypted
                    ? $"{path}: the gallery is encrypted; give its key by --key-file FILE or --key-env NAME."
                    : $"{path}: the gallery is not encrypted, but a key was given; leave it out.");
            }

            cipher = new RecordCipher(info.Id, key);
            byte[] check = await database.ReadAsync(c => GalleryDatabase.Meta(c, "key_check") as byte[] ?? [], cancellationToken).ConfigureAwait(false);
            try
            {
                _ = cipher.Open("key", 0, 0, check);
            }
            catch (CryptographicException e)
            {
                throw new UniFaceException($"{path}: this is not the gallery's key; give the key that the gallery was created with.", e);
            }

            SqliteGallery gallery = new(database, cipher, info);
            if (!database.IsReadOnly)
            {
                await AddColumnsAsync(database, cancellationToken).ConfigureAwait(false);
                await gallery.FinishErasingAsync(cancellationToken).ConfigureAwait(false);
            }

            return gallery;
        }
        catch
        {
            cipher?.Dispose();
            database.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<long>> EnrollAsync(IReadOnlyList<Enrolment> enrolments, string contractId, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(enrolments);
        info.EnsureEnrolments(enrolments, contractId);
        return database.WriteAsync<IReadOnlyList<long>>(
            connection =>
            {
                EnsureModel(connection);
                long change = GalleryDatabase.Change(connection);
                Dictionary<string, long> people = [];
                Dictionary<long, PersonPhotos> photos = [];
                List<long> ids = [];
                using SqliteCommand template = GalleryDatabase.Prepare(
                    connection,
                    "INSERT INTO template(id, person, checksum, source, embedding, enrolled, photo) VALUES($id, $person, $checksum, $source, $embedding, $enrolled, $photo)",
                    ("$id", 0L),
                    ("$person", 0L),
                    ("$checksum", 0L),
                    ("$source", null),
                    ("$embedding", null),
                    ("$enrolled", DateTimeOffset.UtcNow.ToUnixTimeSeconds()),
                    ("$photo", null));
                foreach (Enrolment enrolment in enrolments)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    if (!people.TryGetValue(enrolment.Person, out long person))
                    {
                        person = records.FindPerson(connection, enrolment.Person) ?? records.AddPerson(connection, enrolment.Person);
                        people.Add(enrolment.Person, person);
                    }

                    if (enrolment.PhotoSha256 is string photo)
                    {
                        PersonPhotos known = photos.TryGetValue(person, out PersonPhotos? read)
                            ? read
                            : photos[person] = records.Photos(connection, person, info.EmbeddingSize);
                        if (known.Find(enrolment, out bool recognised) is long existing)
                        {
                            if (recognised)
                            {
                                byte[] hash = records.SealPhoto(existing, person, photo);
                                GalleryDatabase.Run(connection, "UPDATE template SET photo = $photo WHERE id = $id", ("$id", existing), ("$photo", hash));
                            }

                            ids.Add(existing);
                            continue;
                        }

                        known.Add(enrolment, change + 1);
                    }

                    long id = ++change;
                    byte[] stored = records.Seal(id, person, enrolment.Embedding.Span);
                    template.Parameters[0].Value = id;
                    template.Parameters[1].Value = person;
                    template.Parameters[2].Value = GalleryRecords.Checksum(id, stored);
                    template.Parameters[3].Value = enrolment.Source is string source ? records.SealSource(id, person, source) : DBNull.Value;
                    template.Parameters[4].Value = stored;
                    template.Parameters[6].Value = enrolment.PhotoSha256 is string sha256 ? records.SealPhoto(id, person, sha256) : DBNull.Value;
                    template.ExecuteNonQuery();
                    if (info.KeepsCrops)
                    {
                        byte[] crop = records.SealCrop(id, person, enrolment.Crop.Span);
                        GalleryDatabase.Run(connection, "INSERT INTO crop VALUES($id, $checksum, $image)", ("$id", id), ("$checksum", GalleryRecords.Checksum(id, crop)), ("$image", crop));
                    }

                    ids.Add(id);
                }

                GalleryDatabase.SetMeta(connection, "change", change);
                return ids;
            },
            cancellationToken);
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<GalleryPerson> ListAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        const int Page = 1000;
        long last = 0;
        while (true)
        {
            List<(long Id, GalleryPerson Person)> page = await database.ReadAsync(
                connection =>
                {
                    EnsureSameKey(connection);
                    using SqliteCommand command = GalleryDatabase.Prepare(connection, "SELECT id, name_key, name, (SELECT count(*) FROM template WHERE person = p.id) FROM person p WHERE id > $last ORDER BY id LIMIT $page", ("$last", last), ("$page", Page));
                    using SqliteDataReader reader = command.ExecuteReader();
                    List<(long, GalleryPerson)> people = [];
                    while (reader.Read())
                    {
                        long id = reader.GetInt64(0);
                        people.Add((id, new GalleryPerson(records.PersonName(id, (byte[])reader[1], reader[2] as byte[]), reader.GetInt32(3))));
                    }

                    return people;
                },
                cancellationToken).ConfigureAwait(false);
            foreach ((long id, GalleryPerson person) in page)
            {
                last = id;
                yield return person;
            }

            if (page.Count < Page)
            {
                yield break;
            }
        }
    }

    /// <inheritdoc/>
    public Task<IReadOnlyDictionary<long, string?>> PhotosOfAsync(string person, CancellationToken cancellationToken = default) =>
        database.ReadAsync<IReadOnlyDictionary<long, string?>>(
        connection =>
        {
            EnsureSameKey(connection);
            Dictionary<long, string?> photos = [];
            const string Sql = "SELECT id, person, photo FROM template WHERE person = $person";
            using SqliteCommand command = GalleryDatabase.Prepare(connection, Sql, ("$person", records.FindPerson(connection, person)));
            using SqliteDataReader reader = command.ExecuteReader();
            while (reader.Read())
            {
                photos.Add(reader.GetInt64(0), reader[2] is byte[] photo ? records.OpenPhoto(reader.GetInt64(0), reader.GetInt64(1), photo) : null);
            }

            return photos;
        },
        cancellationToken);

    /// <inheritdoc/>
    public Task EnsureUnmovedAsync(CancellationToken cancellationToken = default) => database.ReadAsync(
        connection =>
        {
            EnsureModel(connection);
            return 0;
        },
        cancellationToken);

    /// <inheritdoc/>
    public Task<GalleryCounts> CountAsync(CancellationToken cancellationToken = default) => database.ReadAsync(
        connection => new GalleryCounts((long)GalleryDatabase.Scalar(connection, "SELECT count(*) FROM person")!, (long)GalleryDatabase.Scalar(connection, "SELECT count(person) FROM template")!),
        cancellationToken);

    /// <inheritdoc/>
    public async Task<IReadOnlyList<IReadOnlyList<GalleryCandidate>>> SearchAsync(ReadOnlyMemory<float> probes, string contractId, int people, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(people, 1);
        info.EnsureProbes(probes.Span, contractId);
        ExactIndex index = await projection.FreshAsync(cancellationToken).ConfigureAwait(false);
        IndexHit[][] hits;
        try
        {
            hits = await FindAsync(index).ConfigureAwait(false);
        }
        catch (UniFaceException)
        {
            hits = await FindAsync(await projection.WithoutFileAsync(index, cancellationToken).ConfigureAwait(false)).ConfigureAwait(false);
        }

        Task<IndexHit[][]> FindAsync(ExactIndex searched) =>
            Task.Run(() => searched.Search(probes.Span, people, distinctKeys: true, cancellationToken: cancellationToken), cancellationToken);

        return await database.ReadAsync<IReadOnlyList<IReadOnlyList<GalleryCandidate>>>(
            connection =>
            {
                Dictionary<long, string> names = records.PersonNames(connection, hits.SelectMany(h => h).Select(h => h.Key).Distinct());

                // A person who was removed since the search is no answer.
                return [.. hits.Select(probe => (IReadOnlyList<GalleryCandidate>)[.. probe.Where(h => names.ContainsKey(h.Key)).Select(h => new GalleryCandidate(names[h.Key], Math.Clamp(h.Score, -1, 1)))])];
            },
            cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Stores the index beside the database, so that the next start need not read all templates.
    /// </summary>
    /// <param name="always">False: only where enough is new that it is worth writing.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public Task StoreIndexAsync(bool always = true, CancellationToken cancellationToken = default) => projection.StoreAsync(always, cancellationToken);

    /// <summary>Makes the index anew from the database and stores it.</summary>
    /// <returns>Rows of the index.</returns>
    public Task<long> RebuildIndexAsync(CancellationToken cancellationToken = default) => projection.RebuildAsync(cancellationToken);

    /// <summary>Closes the gallery; nothing of it may be running.</summary>
    public async ValueTask DisposeAsync()
    {
        await projection.DisposeAsync().ConfigureAwait(false);
        cipher.Dispose();
        database.Dispose();
    }

    /// <summary>Called after each step of storing, removing and erasing, at which a kill may come; for tests.</summary>
    internal Action<string> Step
    {
        get => database.Step;
        set => database.Step = value;
    }

    /// <summary>Lets the database grow to so many pages only, as a full disk does; for tests.</summary>
    internal void LimitPages(int pages) => database.LimitPages(pages);

    private static GalleryInfo ReadInfo(SqliteConnection connection, string path)
    {
        if (GalleryDatabase.Scalar(connection, "SELECT count(*) FROM sqlite_master WHERE name = 'meta'") is not 1L || GalleryDatabase.Meta(connection, "format") is not long format)
        {
            throw new UniFaceException($"{path}: a database, but not of a gallery; 'uniface gallery create' makes one.");
        }

        if (format != GalleryDatabase.Format)
        {
            throw new UniFaceException($"{path}: a gallery of format {format}, this version reads {GalleryDatabase.Format}: use the UniFace that wrote it.");
        }

        T Get<T>(string key) => GalleryDatabase.Meta(connection, key) is T value ? value : throw new UniFaceException($"{path}: the gallery does not say its {key}: it is damaged; restore it from a copy.");
        long size = Get<long>("embedding_size");
        return new GalleryInfo
        {
            Id = Get<string>("id"),
            ContractId = Get<string>("contract"),
            EmbeddingSize = size is >= 1 and <= 65536 ? (int)size : throw new UniFaceException($"{path}: embeddings of {size} values: the gallery is damaged; restore it from a copy."),
            Scoring = Enum.TryParse(Get<string>("scoring"), out PersonScore scoring) ? scoring : throw new UniFaceException($"{path}: an unknown kind of score: use the UniFace that wrote the gallery."),
            KeepsCrops = Get<long>("crops") != 0,
            Encrypted = Get<long>("encrypted") != 0,
            Package = GalleryDatabase.Meta(connection, "package") as string,
            Generation = GalleryDatabase.Meta(connection, GenerationKey) as string,
        };
    }

    private static void SetModel(SqliteConnection connection, string contractId, int embeddingSize, string? package)
    {
        GalleryDatabase.SetMeta(connection, "contract", contractId);
        GalleryDatabase.SetMeta(connection, "embedding_size", (long)embeddingSize);
        GalleryDatabase.SetMeta(connection, "package", package);
    }

    private void EnsureSameKey(SqliteConnection connection) => GalleryProjection.EnsureSameKey(connection, info, Path);

    private void EnsureModel(SqliteConnection connection) => GalleryProjection.EnsureUnmoved(connection, info, Path);
}
