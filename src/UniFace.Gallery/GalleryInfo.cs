namespace UniFace.Gallery;

/// <summary>How the scores of a person's templates become the person's score.</summary>
public enum PersonScore
{
    /// <summary>The largest cosine of the probe with one of the person's templates.</summary>
    Best,

    /// <summary>The mean of the cosines of the probe with all templates of the person.</summary>
    Mean,
}

/// <summary>What a gallery is. Fixed when it is created, except for the model, which re-embedding changes.</summary>
public sealed record GalleryInfo
{
    /// <summary>A random id, which binds records and indexes to their gallery; assigned on creation.</summary>
    public string Id { get; init; } = "";

    /// <summary>Contract id of the model whose embeddings it holds.</summary>
    public required string ContractId { get; init; }

    /// <summary>Values in an embedding.</summary>
    public required int EmbeddingSize { get; init; }

    /// <summary>How a person is scored.</summary>
    public PersonScore Scoring { get; init; }

    /// <summary>True if the aligned faces are kept, so that the gallery can move to another model.</summary>
    public bool KeepsCrops { get; init; }

    /// <summary>True if templates, crops and names are encrypted at rest.</summary>
    public bool Encrypted { get; init; }

    /// <summary>Path of the model package when the gallery was created; null if it was created without one.</summary>
    public string? Package { get; init; }

    /// <summary>Changes when the file's content is replaced or its key changes; processes that have it open must then open it again.</summary>
    internal string? Generation { get; init; }

    /// <summary>A new random id.</summary>
    internal static string NewId() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));

    /// <summary>The same with a new id, after checking that a gallery can be created from it.</summary>
    internal GalleryInfo ForCreation()
    {
        ArgumentException.ThrowIfNullOrEmpty(ContractId);
        ArgumentOutOfRangeException.ThrowIfLessThan(EmbeddingSize, 1);
        return this with { Id = NewId() };
    }

    /// <summary>Fails if a stored gallery is of another format.</summary>
    internal static void EnsureFormat(string path, long format, long supported)
    {
        if (format != supported)
        {
            throw new UniFaceException($"{path}: a gallery of format {format}, this version reads {supported}: use the UniFace that wrote it.");
        }
    }

    /// <summary>A stored embedding size.</summary>
    internal static int ParseSize(string path, long size, int largest) => size >= 1 && size <= largest
        ? (int)size
        : throw new UniFaceException($"{path}: embeddings of {size} values: the gallery is damaged; restore it from a copy.");

    /// <summary>A stored <see cref="PersonScore"/>.</summary>
    internal static PersonScore ParseScoring(string path, string text) => Enum.TryParse(text, out PersonScore scoring)
        ? scoring
        : throw new UniFaceException($"{path}: an unknown kind of score: use the UniFace that wrote the gallery.");
}
