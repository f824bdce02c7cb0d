using UniFace.Gallery.Index;

namespace UniFace.Gallery;

/// <summary>Refuses embeddings that cannot be compared with those of a gallery.</summary>
internal static class EmbeddingCheck
{
    /// <summary>How far from 1 the norm of an embedding may be.</summary>
    public const double NormTolerance = 1e-3;

    /// <summary>Refuses embeddings of another model.</summary>
    public static void EnsureContract(this GalleryInfo info, string contractId)
    {
        if (contractId != info.ContractId)
        {
            throw new UniFaceException($"the embedding is of contract {contractId}, the gallery of {info.ContractId}: embeddings of two models cannot be compared; use the gallery's model, or move the gallery by 'uniface gallery reembed'.");
        }
    }

    /// <summary>Refuses an embedding of another size or norm.</summary>
    public static void Ensure(this GalleryInfo info, ReadOnlySpan<float> embedding)
    {
        if (embedding.Length != info.EmbeddingSize)
        {
            throw new UniFaceException($"the embedding has {embedding.Length} values, the gallery's have {info.EmbeddingSize}.");
        }

        double norm = Norm(embedding);
        if (!(Math.Abs(norm - 1) < NormTolerance))
        {
            throw new UniFaceException(FormattableString.Invariant($"the embedding has norm {norm:G4}, expected 1: normalise it before it goes into a gallery."));
        }
    }

    /// <summary>Norm of an embedding.</summary>
    public static double Norm(ReadOnlySpan<float> embedding) => Math.Sqrt(ExactScore.Of(embedding, embedding));
}
