namespace UniFace.Gallery;

/// <summary>
/// Enrolled people in memory, searched exactly. Bound to one model's contract: embeddings of another model are refused,
/// because their cosines mean nothing here. Equal scores are ordered by name (ordinal), so an answer never depends on the
/// order of enrolment. Thread-safe.
/// </summary>
public sealed class InMemoryGallery
{
    private readonly SortedDictionary<string, List<float[]>> people = new(StringComparer.Ordinal);
    private readonly Lock gate = new();

    /// <summary>An empty gallery.</summary>
    /// <param name="contractId">Contract id of the model whose embeddings it holds.</param>
    /// <param name="embeddingSize">Values in an embedding, 1 or more.</param>
    public InMemoryGallery(string contractId, int embeddingSize)
    {
        ArgumentException.ThrowIfNullOrEmpty(contractId);
        ArgumentOutOfRangeException.ThrowIfLessThan(embeddingSize, 1);
        ContractId = contractId;
        EmbeddingSize = embeddingSize;
    }

    /// <summary>Contract id of the model.</summary>
    public string ContractId { get; }

    /// <summary>Values in an embedding.</summary>
    public int EmbeddingSize { get; }

    /// <summary>Names of the enrolled, in order.</summary>
    public IReadOnlyList<string> People
    {
        get
        {
            lock (gate)
            {
                return [.. people.Keys];
            }
        }
    }

    /// <summary>Adds a template of a person, who is enrolled by the first one.</summary>
    /// <param name="person">Name or id; not empty.</param>
    /// <param name="embedding">L2-normalised embedding, [EmbeddingSize].</param>
    /// <param name="contractId">Contract id of the model that made it.</param>
    /// <exception cref="UniFaceException">Another contract, another size, or not of norm 1.</exception>
    public void Enrol(string person, ReadOnlySpan<float> embedding, string contractId)
    {
        ArgumentException.ThrowIfNullOrEmpty(person);
        Check(embedding, contractId);
        lock (gate)
        {
            if (!people.TryGetValue(person, out List<float[]>? templates))
            {
                people.Add(person, templates = []);
            }

            templates.Add(embedding.ToArray());
        }
    }

    /// <summary>Removes a person with all templates.</summary>
    /// <returns>False where the person was not enrolled.</returns>
    public bool Remove(string person)
    {
        lock (gate)
        {
            return people.Remove(person);
        }
    }

    /// <summary>Looks for a face among the enrolled: the best person if the score reaches the threshold, else unknown.</summary>
    /// <param name="probe">L2-normalised embedding, [EmbeddingSize].</param>
    /// <param name="contractId">Contract id of the model that made it.</param>
    /// <param name="threshold">Cosine to reach, -1 to 1; from a calibration of the same model.</param>
    /// <param name="candidates">How many of the most alike people to name.</param>
    /// <exception cref="UniFaceException">Another contract, another size, or not of norm 1; or the threshold is no number.</exception>
    public Identification Identify(ReadOnlySpan<float> probe, string contractId, double threshold, int candidates = 5)
    {
        Check(probe, contractId);
        ArgumentOutOfRangeException.ThrowIfLessThan(candidates, 1);
        if (double.IsNaN(threshold))
        {
            throw new UniFaceException("the gallery was asked with a threshold that is not a number; take one from the model's calibration.");
        }

        List<GalleryCandidate> scored = [];
        lock (gate)
        {
            foreach ((string person, List<float[]> templates) in people)
            {
                double best = double.NegativeInfinity;
                foreach (float[] template in templates)
                {
                    best = Math.Max(best, Cosine(probe, template));
                }

                scored.Add(new GalleryCandidate(person, best));
            }
        }

        // A stable sort keeps the order of the names among equal scores.
        GalleryCandidate[] ordered = [.. scored.OrderByDescending(c => c.Score).Take(candidates)];
        return new Identification(ordered.Length > 0 && ordered[0].Score >= threshold ? ordered[0].Person : null, threshold, ordered);
    }

    private static double Cosine(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        double sum = 0;
        for (int i = 0; i < a.Length; i++)
        {
            sum += (double)a[i] * b[i];
        }

        return Math.Clamp(sum, -1, 1);
    }

    private void Check(ReadOnlySpan<float> embedding, string contractId)
    {
        if (contractId != ContractId)
        {
            throw new UniFaceException($"the embedding is of contract {contractId}, the gallery of {ContractId}: embeddings of two models cannot be compared; enrol and ask with one model.");
        }

        if (embedding.Length != EmbeddingSize)
        {
            throw new UniFaceException($"the embedding has {embedding.Length} values, the gallery's have {EmbeddingSize}.");
        }

        double norm = Math.Sqrt(SquaredNorm(embedding));
        if (!(Math.Abs(norm - 1) < 1e-3))
        {
            throw new UniFaceException(FormattableString.Invariant($"the embedding has norm {norm:G4}, expected 1: normalise it before it goes into a gallery."));
        }
    }

    private static double SquaredNorm(ReadOnlySpan<float> a)
    {
        double sum = 0;
        foreach (float value in a)
        {
            sum += (double)value * value;
        }

        return sum;
    }
}
