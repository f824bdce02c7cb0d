using UniFace.Gallery.Sqlite;

namespace UniFace.Gallery;

/// <summary>What a person's score is, of the scores of the templates.</summary>
public enum PersonScore
{
    /// <summary>The largest cosine of the probe with one of the person's templates.</summary>
    Best,

    /// <summary>The mean of the cosines of the probe with all templates of the person.</summary>
    Mean,
}

/// <summary>What a gallery is; fixed when it is created, but for the model, which re-embedding changes.</summary>
public sealed record GalleryInfo
{
    /// <summary>A random id: what is stored or encrypted for one gallery is of no use in another.</summary>
    public required string Id { get; init; }

    /// <summary>Contract id of the model whose embeddings it holds; those of others are refused.</summary>
    public required string ContractId { get; init; }

    /// <summary>Values in an embedding.</summary>
    public required int EmbeddingSize { get; init; }

    /// <summary>What a person's score is.</summary>
    public PersonScore Scoring { get; init; }

    /// <summary>True where the aligned faces are kept, so that the gallery can move to another model.</summary>
    public bool KeepsCrops { get; init; }

    /// <summary>True where templates, crops and names are encrypted at rest.</summary>
    public bool Encrypted { get; init; }

    /// <summary>Path of the model package, as it was when the gallery was created; null where it was made without one.</summary>
    public string? Package { get; init; }

    /// <summary>Changes when the file's content is replaced or encrypted with another key; a process that has it open must then open it again.</summary>
    internal string? Generation { get; init; }

    /// <summary>What the gallery is once it has been embedded anew with another model.</summary>
    /// <param name="model">The model.</param>
    /// <param name="path">The gallery, for the error.</param>
    /// <exception cref="UniFaceException">It keeps no crops, or is of this model already.</exception>
    internal GalleryInfo MovedTo(GalleryModel model, string path)
    {
        if (!KeepsCrops)
        {
            throw new UniFaceException($"{path}: the gallery keeps no crops, so its people cannot be embedded anew; create one with --crops and enrol them again.");
        }

        if (model.ContractId == ContractId)
        {
            throw new UniFaceException($"{path}: the gallery is of this model already.");
        }

        return this with { ContractId = model.ContractId, EmbeddingSize = model.EmbeddingSize, Package = model.Package };
    }
}
