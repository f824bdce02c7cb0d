namespace UniFace.Training.Data;

/// <summary>How batches are made; nothing here but <see cref="BatchSize"/>, <see cref="Seed"/>, <see cref="InputSize"/> and <see cref="Resize"/> changes what is in them.</summary>
public sealed record LoaderOptions
{
    /// <summary>Default of <see cref="CacheBytes"/>.</summary>
    public const long DefaultCacheBytes = 1L << 30;

    /// <summary>Pictures a batch.</summary>
    public required int BatchSize { get; init; }

    /// <summary>Seed of the augmentation.</summary>
    public required long Seed { get; init; }

    /// <summary>Threads that decode and augment, besides the one that trains.</summary>
    public int Threads { get; init; } = 1;

    /// <summary>Batches made ahead of the step.</summary>
    public int QueueLength { get; init; } = 2;

    /// <summary>Size of the pictures that the backbone takes, in pixels.</summary>
    public (int Width, int Height) InputSize { get; init; } = (112, 112);

    /// <summary>True: a picture of another size is brought to <see cref="InputSize"/>; false: it is an error, for it is probably not aligned.</summary>
    public bool Resize { get; init; }

    /// <summary>Bytes that decoded pictures may take; the set is kept in memory if all of it fits, so that only the first epoch decodes. 0 turns it off.</summary>
    public long CacheBytes { get; init; } = DefaultCacheBytes;
}
