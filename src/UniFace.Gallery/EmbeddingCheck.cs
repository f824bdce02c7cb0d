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

    /// <summary>Refuses what cannot be enrolled: embeddings as above, a person without a name, a crop missing where crops are kept.</summary>
    public static void EnsureEnrolments(this GalleryInfo info, IReadOnlyList<Enrolment> enrolments, string contractId)
    {
        info.EnsureContract(contractId);
        foreach (Enrolment enrolment in enrolments)
        {
            info.Ensure(enrolment.Embedding.Span);
            if (enrolment.Person.Length == 0)
            {
                throw new UniFaceException("a person without a name cannot be enrolled; give one.");
            }

            if (enrolment.PhotoSha256 is string photo && (photo.Length != 64 || !photo.All(char.IsAsciiHexDigitLower)))
            {
                throw new UniFaceException($"{enrolment.Person}: the photo's SHA-256 is not one; expected 64 lower-case hexadecimal digits.");
            }

            if (info.KeepsCrops && enrolment.Crop.IsEmpty)
            {
                throw new UniFaceException($"{enrolment.Person}: the gallery keeps crops, and none was given with the template.");
            }
        }
    }

    /// <summary>Refuses probes, [probes, D], that cannot be compared: of another model, another size, or not of norm 1.</summary>
    public static void EnsureProbes(this GalleryInfo info, ReadOnlySpan<float> probes, string contractId)
    {
        info.EnsureContract(contractId);
        if (probes.IsEmpty || probes.Length % info.EmbeddingSize != 0)
        {
            throw new UniFaceException($"the probe has {probes.Length} values, the gallery's embeddings have {info.EmbeddingSize}.");
        }

        for (int at = 0; at < probes.Length; at += info.EmbeddingSize)
        {
            info.Ensure(probes.Slice(at, info.EmbeddingSize));
        }
    }

    /// <summary>True if a stored embedding can be searched: of the gallery's size and of norm 1.</summary>
    public static bool IsSound(this GalleryInfo info, ReadOnlySpan<float> embedding) => embedding.Length == info.EmbeddingSize && Math.Abs(Norm(embedding) - 1) < NormTolerance;

    /// <summary>What is said of a damaged template.</summary>
    public static string Damaged(string person, long template, string fault) =>
        $"{person}: template {template} is damaged and is not searched ({fault}); 'uniface gallery verify-integrity' says more; remove the person and enrol the photos again";

    /// <summary>Norm of an embedding.</summary>
    public static double Norm(ReadOnlySpan<float> embedding) => Math.Sqrt(ExactScore.Of(embedding, embedding));
}
