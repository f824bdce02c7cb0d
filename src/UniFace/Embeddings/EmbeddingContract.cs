namespace UniFace.Embeddings;

/// <summary>Embeddings are comparable if their models have the same contract.</summary>
internal static class EmbeddingContract
{
    /// <summary>Refuses to compare embeddings of two models.</summary>
    /// <param name="expected">The contract of a model, or of its embeddings.</param>
    /// <param name="owner">Whose contract it is, for example "the gallery people.gallery".</param>
    /// <param name="given">The contract of the others.</param>
    /// <param name="source">What they are, for example "the second embedding".</param>
    /// <param name="remedy">What to do.</param>
    /// <exception cref="UniFaceException">The contracts differ.</exception>
    public static void Require(string expected, string owner, string given, string source, string remedy)
    {
        if (given != expected)
        {
            throw new UniFaceException(
                $"{source} is of contract {given}, {owner} of {expected}: embeddings of different models cannot be compared; {remedy}");
        }
    }
}
