namespace UniFace.Training.Data;

/// <summary>
/// How batches are prepared. Only the batch size, the seed, the input and the targets change their content.
/// </summary>
internal sealed record LoaderOptions
{
    /// <summary>Default of <see cref="CacheBytes"/>.</summary>
    public const long DefaultCacheBytes = 1L << 30;

    /// <summary>Images per batch.</summary>
    public required int BatchSize { get; init; }

    /// <summary>Seed of the augmentation.</summary>
    public required long Seed { get; init; }

    /// <summary>Threads that decode and augment, in addition to the training thread.</summary>
    public int Threads { get; init; } = 1;

    /// <summary>Batches prepared ahead of the step.</summary>
    public int QueueLength { get; init; } = 2;

    /// <summary>Size of the backbone's input in pixels.</summary>
    public (int Width, int Height) InputSize { get; init; } = (112, 112);

    /// <summary>From pixels to the backbone's input.</summary>
    public PixelNormalization Normalization { get; init; } = PixelNormalization.Default;

    /// <summary>Creates the teacher's embeddings [B, D] of samples and of their augmented images; null without a teacher.</summary>
    public Func<IReadOnlyList<int>, IReadOnlyList<RgbImage>, Tensor>? Targets { get; init; }

    /// <summary>Values of an image, which are its bytes when decoded.</summary>
    public int ImageValues => 3 * InputSize.Width * InputSize.Height;

    /// <summary>
    /// Memory for decoded images in bytes. If the whole set fits, it is kept, so that only the first epoch decodes. 0 turns this off.
    /// </summary>
    public long CacheBytes { get; init; } = DefaultCacheBytes;
}
