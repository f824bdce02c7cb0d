using UniFace.Embeddings;
using UniFace.Gallery.Sqlite;

namespace UniFace.Gallery;

/// <summary>Opens galleries of one kind by their location; returns null for a location of another kind.</summary>
/// <exception cref="UniFaceException">The gallery cannot be opened, the key is wrong, or this kind cannot be encrypted.</exception>
internal delegate Task<StoredGallery>? GalleryProvider(string location, GalleryKey? key, CancellationToken cancellationToken);

/// <summary>Properties of a new gallery.</summary>
public sealed record FaceGalleryOptions
{
    /// <summary>How a person with several faces is scored.</summary>
    public PersonScore Scoring { get; init; }

    /// <summary>True to keep the aligned faces, so that the gallery can move to another model.</summary>
    public bool KeepCrops { get; init; }

    /// <summary>The key with which templates, crops and names are encrypted; null for no encryption.</summary>
    public GalleryKey? Key { get; init; }
}

/// <summary>Opens a gallery wherever it is.</summary>
public static class FaceGallery
{
    private static readonly ConcurrentDictionary<GalleryProvider, bool> Providers = [];

    /// <summary>Opens a gallery; a gallery file that does not exist is created.</summary>
    /// <param name="location">Its file, or the address of a database whose kind of gallery is registered.</param>
    /// <param name="model">The model of the embeddings, such as a face recognizer; not disposed with the gallery.</param>
    /// <param name="options">Properties if it is created; the key also to open it.</param>
    /// <exception cref="UniFaceException">It cannot be opened, belongs to another model, or the key is wrong.</exception>
    public static IGallery Open(string location, IFaceModel model, FaceGalleryOptions? options = null) =>
        Task.Run(() => OpenAsync(location, model, options)).GetAwaiter().GetResult();

    /// <inheritdoc cref="Open"/>
    /// <param name="location">Its file, or the address of a database whose kind of gallery is registered.</param>
    /// <param name="model">The model of the embeddings, such as a face recognizer; not disposed with the gallery.</param>
    /// <param name="options">Properties if it is created; the key also to open it.</param>
    /// <param name="cancellationToken">Cancels opening it.</param>
    public static async Task<IGallery> OpenAsync(
        string location, IFaceModel model, FaceGalleryOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(location);
        ArgumentNullException.ThrowIfNull(model);
        Task<StoredGallery>? provided = OpenProvided(location, options?.Key, cancellationToken);
        if (provided is null && !File.Exists(location))
        {
            return await CreateAsync(location, model, options, cancellationToken).ConfigureAwait(false);
        }

        StoredGallery gallery = await (provided ?? OpenFileAsync(location, options?.Key, cancellationToken)).ConfigureAwait(false);
        try
        {
            EmbeddingContract.Require(
                model.ContractId, "the model", gallery.Info.ContractId, $"the gallery {gallery.Path}", "open it with its own model, or move it to this one");
            return new ModelGallery(gallery, model);
        }
        catch
        {
            await gallery.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Creates a gallery file.</summary>
    /// <param name="path">The file, which must not exist.</param>
    /// <param name="model">The model of the embeddings, such as a face recognizer; not disposed with the gallery.</param>
    /// <param name="options">Its properties; null for the defaults.</param>
    /// <exception cref="UniFaceException">The file exists, or cannot be written.</exception>
    public static IGallery Create(string path, IFaceModel model, FaceGalleryOptions? options = null) =>
        Task.Run(() => CreateAsync(path, model, options)).GetAwaiter().GetResult();

    /// <inheritdoc cref="Create"/>
    /// <param name="path">The file, which must not exist.</param>
    /// <param name="model">The model of the embeddings, such as a face recognizer; not disposed with the gallery.</param>
    /// <param name="options">Its properties; null for the defaults.</param>
    /// <param name="cancellationToken">Cancels opening it.</param>
    public static async Task<IGallery> CreateAsync(
        string path, IFaceModel model, FaceGalleryOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (path.Contains("://", StringComparison.Ordinal) || path.Contains("Host=", StringComparison.OrdinalIgnoreCase))
        {
            // The address may contain a password.
            throw new UniFaceException(
                "the address of a database is given as a gallery, and galleries in databases are not registered; call PostgresGalleries.Register() of the " +
                "package UniFace.Gallery.Postgres first");
        }

        SqliteGallery.Create(path, CreateInfo(model, options), options?.Key);
        return new ModelGallery(await OpenFileAsync(path, options?.Key, cancellationToken).ConfigureAwait(false), model);
    }

    /// <summary>Adds a kind of gallery that can be opened by its address, e.g. those on PostgreSQL. Gallery files need no provider.</summary>
    internal static void Register(GalleryProvider provider) => Providers.TryAdd(provider, true);

    /// <summary>Opens a gallery without its model, to maintain it.</summary>
    /// <param name="location">Its file, or an address that a registered provider supports.</param>
    /// <param name="key">The key, if it is encrypted.</param>
    /// <param name="cancellationToken">Cancels opening it.</param>
    /// <exception cref="UniFaceException">It does not exist or cannot be opened, or the key is wrong.</exception>
    internal static Task<StoredGallery> OpenStoreAsync(string location, GalleryKey? key = null, CancellationToken cancellationToken = default) =>
        OpenProvided(location, key, cancellationToken) ?? OpenFileAsync(location, key, cancellationToken);

    /// <summary>The properties of a new gallery of a model.</summary>
    internal static GalleryInfo CreateInfo(IFaceModel model, FaceGalleryOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        return new GalleryInfo
        {
            ContractId = model.ContractId,
            EmbeddingSize = model.EmbeddingSize,
            Scoring = options?.Scoring ?? default,
            KeepsCrops = options?.KeepCrops ?? false,
            Package = model.PackagePath,
        };
    }

    private static Task<StoredGallery>? OpenProvided(string location, GalleryKey? key, CancellationToken stop) =>
        Providers.Keys.Select(open => open(location, key, stop)).FirstOrDefault(opening => opening is not null);

    private static async Task<StoredGallery> OpenFileAsync(string path, GalleryKey? key, CancellationToken stop) =>
        await SqliteGallery.OpenAsync(path, key, stop).ConfigureAwait(false);
}
