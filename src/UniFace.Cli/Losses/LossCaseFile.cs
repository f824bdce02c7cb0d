namespace UniFace.Cli.Losses;

/// <summary>
/// A file of expected values: {"embeddings": [B][D], "centers": [C][D], "labels": [B], "cases": [{"name", "params", "loss", "gradEmbeddings",
/// "gradCenters", ...}]}. A case may have embeddings, centers and labels of its own. Losses with a bias also have "bias" and "gradBias". The
/// sub-centers of a class are adjacent rows, and its label is the label of the file / k.
/// </summary>
/// <param name="Embeddings">[B, D].</param>
/// <param name="Centers">[C * K, D].</param>
/// <param name="Labels">[B], rows of the centers.</param>
/// <param name="Cases">The cases.</param>
internal sealed record LossCaseFile(
    double[][]? Embeddings, double[][]? Centers, [property: JsonConverter(typeof(LossCase.NumberOrList))] double[]? Labels, LossCase[]? Cases)
{
    private static readonly JsonSerializerOptions Format = new() { PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    /// <summary>Reads all cases.</summary>
    /// <exception cref="UniFaceException">Not JSON, a missing or malformed field, or an unknown loss or parameter; the message names the case.</exception>
    public static IReadOnlyList<LossCase> Read(string path)
    {
        try
        {
            using FileStream stream = File.OpenRead(path);
            LossCaseFile? file = JsonSerializer.Deserialize<LossCaseFile>(stream, Format);
            return file?.Cases is { Length: > 0 } cases
                ? [.. cases.Select((entry, i) => entry.Complete(file, i + 1, path))]
                : throw new UniFaceException($"{path} has no cases.");
        }
        catch (JsonException e)
        {
            throw new UniFaceException($"{path} is not a file of loss cases: {e.Message}", e);
        }
    }
}
