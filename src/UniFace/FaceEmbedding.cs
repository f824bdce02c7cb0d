namespace UniFace;

/// <summary>The embedding of a face, with the contract of the model that computed it: only embeddings of one contract are comparable.</summary>
public sealed class FaceEmbedding
{
    private const double NormTolerance = 1e-3;

    /// <summary>An embedding that was computed or stored elsewhere.</summary>
    /// <param name="values">The values, L2-normalized, [D].</param>
    /// <param name="contractId">Contract id of the model that computed them.</param>
    /// <exception cref="UniFaceException">There are no values, or their norm is not 1.</exception>
    public FaceEmbedding(ReadOnlyMemory<float> values, string contractId)
    {
        ArgumentException.ThrowIfNullOrEmpty(contractId);
        double norm = values.Length == 0 ? double.NaN : TensorPrimitives.Norm(values.Span);
        if (!(Math.Abs(norm - 1) <= NormTolerance))
        {
            throw new UniFaceException(Invariant(
                $"an embedding of {values.Length} values with norm {norm:G4}; expected values with norm 1, as a model gives them"));
        }

        Values = values.ToArray();
        ContractId = contractId;
    }

    /// <summary>The values, [D]; their norm is 1.</summary>
    public ReadOnlyMemory<float> Values { get; }

    /// <summary>Contract id of the model that computed it.</summary>
    public string ContractId { get; }

    /// <summary>Where the face is in its photo; null if it is not known, for example of an aligned face.</summary>
    public DetectedFace? Face { get; internal init; }

    /// <summary>Faces in the photo.</summary>
    public int FacesInPhoto { get; internal init; } = 1;

    /// <summary>Where it comes from, such as the path of the photo; null if it is not known.</summary>
    public string? Source { get; internal init; }

    /// <summary>SHA-256 of the photo's file, in hexadecimal digits; null if it is not known. A gallery enrolls a photo once per person.</summary>
    public string? PhotoSha256 { get; internal init; }

    /// <summary>The aligned face as a PNG file, for galleries that keep crops; null if there is none.</summary>
    internal Func<byte[]>? EncodeCrop { get; init; }

    /// <summary>The cosine of two embeddings, -1 to 1; higher is more similar.</summary>
    /// <exception cref="UniFaceException">They are of different models.</exception>
    public double Similarity(FaceEmbedding other)
    {
        ArgumentNullException.ThrowIfNull(other);
        EmbeddingContract.Require(ContractId, "this one", other.ContractId, "the other embedding", "compute both with one model");
        return other.Values.Length == Values.Length
            ? CosineSimilarity.Compute(Values.Span, other.Values.Span)
            : throw new UniFaceException($"one embedding has {Values.Length} values, the other {other.Values.Length}; compute both with one model");
    }
}
