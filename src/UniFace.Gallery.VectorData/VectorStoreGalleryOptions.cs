namespace UniFace.Gallery.VectorData;

/// <summary>Settings of a vector store's collection; the defaults suit most stores.</summary>
public sealed record VectorStoreGalleryOptions
{
    /// <summary>Type of the records' keys: <see cref="string"/> or <see cref="Guid"/>, whichever the store supports.</summary>
    public Type KeyType { get; init; } = typeof(string);

    /// <summary>
    /// How the store compares vectors: one of Microsoft.Extensions.VectorData's DistanceFunction that orders unit vectors by their cosine; null for
    /// the store's default.
    /// </summary>
    public string? DistanceFunction { get; init; } = Microsoft.Extensions.VectorData.DistanceFunction.CosineSimilarity;

    /// <summary>The store's index: one of Microsoft.Extensions.VectorData's IndexKind; null for the store's default, which may be approximate.</summary>
    public string? IndexKind { get; init; }

    /// <summary>Maximum number of records that a search may request from the store, 1 or more.</summary>
    public int LargestSearch { get; init; } = 10_000;
}
