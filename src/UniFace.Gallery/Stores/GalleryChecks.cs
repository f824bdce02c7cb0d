using UniFace.Embeddings;

namespace UniFace.Gallery.Stores;

/// <summary>Checks embeddings and enrollments against a gallery's properties.</summary>
internal static class GalleryChecks
{
    /// <summary>How far from 1 the norm of an embedding may be.</summary>
    public const double NormTolerance = 1e-3;

    /// <summary>Fails if the embeddings of a model cannot be compared with the gallery's.</summary>
    public static void EnsureContract(this GalleryInfo info, string contractId) => EmbeddingContract.Require(
        info.ContractId, "the gallery", contractId, "the embedding", "use the gallery's model, or move the gallery with 'uniface gallery reembed'");

    /// <summary>Fails if an embedding has another size or norm.</summary>
    public static void EnsureEmbedding(this GalleryInfo info, ReadOnlySpan<float> embedding)
    {
        if (embedding.Length != info.EmbeddingSize)
        {
            throw new UniFaceException($"the embedding has {embedding.Length} values, the gallery's have {info.EmbeddingSize}");
        }

        if (!info.IsValid(embedding))
        {
            throw new UniFaceException($"the embedding has {DescribeNorm(embedding)}: normalize it first");
        }
    }

    /// <summary>Fails if something cannot be enrolled: a wrong embedding, an invalid name or hash, a missing crop.</summary>
    public static void EnsureEnrollments(this GalleryInfo info, IReadOnlyList<Enrollment> enrollments, string contractId)
    {
        ArgumentNullException.ThrowIfNull(enrollments);
        info.EnsureContract(contractId);
        foreach (Enrollment enrollment in enrollments)
        {
            info.EnsureEmbedding(enrollment.Embedding.Span);
            PersonName.ThrowIfInvalid(enrollment.Person);
            if (enrollment.PhotoSha256 is string photo && (photo.Length != 64 || !photo.All(char.IsAsciiHexDigitLower)))
            {
                throw new UniFaceException($"{enrollment.Person}: the photo's SHA-256 is not valid; expected 64 lower-case hexadecimal digits");
            }

            if (info.KeepsCrops && enrollment.Crop.IsEmpty)
            {
                throw new UniFaceException($"{enrollment.Person}: the gallery keeps crops, but the template has none");
            }
        }
    }

    /// <summary>Fails if probes, [probes, D], cannot be searched, or if no people are requested.</summary>
    public static void EnsureProbes(this GalleryInfo info, ReadOnlySpan<float> probes, string contractId, int people)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(people, 1);
        info.EnsureContract(contractId);
        if (probes.IsEmpty || probes.Length % info.EmbeddingSize != 0)
        {
            throw new UniFaceException($"the probe has {probes.Length} values, the gallery's embeddings have {info.EmbeddingSize}");
        }

        for (int at = 0; at < probes.Length; at += info.EmbeddingSize)
        {
            info.EnsureEmbedding(probes.Slice(at, info.EmbeddingSize));
        }
    }

    /// <summary>True if a stored embedding has the gallery's size and norm 1.</summary>
    public static bool IsValid(this GalleryInfo info, ReadOnlySpan<float> embedding) =>
        embedding.Length == info.EmbeddingSize && Math.Abs(Norm(embedding) - 1) < NormTolerance;

    /// <summary>The message about a damaged template.</summary>
    public static string DescribeDamage(string person, long template, string fault) =>
        $"{person}: template {template} is damaged and is not searched ({fault}); 'uniface gallery verify-integrity' lists all damage; " +
        "remove the person and enroll the photos again";

    /// <summary>The norm of an embedding and what is expected.</summary>
    public static string DescribeNorm(ReadOnlySpan<float> embedding)
    {
        double norm = Norm(embedding);
        return FormattableString.Invariant($"norm {norm:G4}, expected 1");
    }

    /// <summary>Norm of an embedding.</summary>
    public static double Norm(ReadOnlySpan<float> embedding) => Math.Sqrt(ExactScore.Compute(embedding, embedding));
}
