namespace UniFace.Gallery.VectorData;

/// <summary>What a store wants to be told about its collection; the defaults fit most.</summary>
public sealed record VectorStoreGalleryOptions
{
    /// <summary>Type of the records' keys: <see cref="string"/> or <see cref="Guid"/>, whichever the store takes.</summary>
    public Type KeyType { get; init; } = typeof(string);

    /// <summary>How the store compares, one of Microsoft.Extensions.VectorData's DistanceFunction that orders unit vectors by their cosine; null for the store's default.</summary>
    public string? DistanceFunction { get; init; } = Microsoft.Extensions.VectorData.DistanceFunction.CosineSimilarity;

    /// <summary>The store's index, one of Microsoft.Extensions.VectorData's IndexKind; null for the store's default, which may be approximate.</summary>
    public string? IndexKind { get; init; }

    /// <summary>Records a search may ask the store for, 1 or more: a limit of the store.</summary>
    public int LargestSearch { get; init; } = 10_000;
}
