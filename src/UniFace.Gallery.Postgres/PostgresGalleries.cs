namespace UniFace.Gallery.Postgres;

/// <summary>Galleries on PostgreSQL with pgvector.</summary>
public static class PostgresGalleries
{
    /// <summary>
    /// Lets <see cref="FaceGallery.Open"/> open galleries on PostgreSQL by their address, postgresql://user:password@host/database?gallery=name.
    /// </summary>
    public static void Register() => FaceGallery.Register(PostgresGallery.Provider);

    /// <summary>Creates a gallery, and the tables if the database has none; then opens it.</summary>
    /// <param name="address">postgresql://user:password@host/database?gallery=name.</param>
    /// <param name="model">The model of the embeddings, such as a face recognizer; not disposed with the gallery.</param>
    /// <param name="options">Its properties; null for the defaults. There is no encryption.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    /// <exception cref="UniFaceException">The name is taken, a key is given, the embeddings are too large for pgvector, or the server fails.</exception>
    public static async Task<IGallery> CreateAsync(
        string address, IFaceModel model, FaceGalleryOptions? options = null, CancellationToken cancellationToken = default)
    {
        GalleryInfo info = FaceGallery.CreateInfo(model, options) with { Encrypted = options?.Key is not null };
        PostgresAddress parsed = PostgresAddress.Parse(address);
        await PostgresGallery.CreateAsync(parsed, info, cancellationToken: cancellationToken).ConfigureAwait(false);
        return new ModelGallery(await PostgresGallery.OpenAsync(parsed, cancellationToken).ConfigureAwait(false), model);
    }
}
