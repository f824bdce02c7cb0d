namespace UniFace.Cli.Losses;

/// <summary>
/// Reads a file of expected values: {"embeddings": [B][D], "centers": [C][D], "labels": [B], "cases": [{"name", "params", "loss",
/// "gradEmbeddings", "gradCenters", ...}]}. A case may have embeddings, centers and labels of its own. Losses with a bias also
/// have "bias" and "gradBias". The sub-centers of a class are adjacent rows, and its label is the label of the file / k.
/// </summary>
internal static class LossCaseFile
{
    /// <summary>Reads all cases.</summary>
    /// <exception cref="UniFaceException">Not JSON, a missing or malformed field, or an unknown loss or parameter; the message names the case.</exception>
    public static IReadOnlyList<LossCase> Read(string path)
    {
        JsonDocument document;
        try
        {
            using FileStream stream = File.OpenRead(path);
            document = JsonDocument.Parse(stream);
        }
        catch (JsonException e)
        {
            throw new UniFaceException($"{path} is not JSON: {e.Message}", e);
        }

        using (document)
        {
            JsonElement file = document.RootElement;
            List<LossCase> cases = [.. new CaseReader(file, null, path).List("cases").Select((element, i) => ReadCase(element, file, path, i + 1))];
            return cases.Count > 0 ? cases : throw new UniFaceException($"{path} has no cases.");
        }
    }

    private static LossCase ReadCase(JsonElement element, JsonElement file, string path, int number)
    {
        string name = new CaseReader(element, file, $"{path}, case {number}").Text("name");
        CaseReader reader = new(element, file, $"{path}, case {number} ({name})");
        CaseParameters parameters = reader.Guard(() => CaseParameters.Read(name, reader));
        int k = int.Parse(parameters.Loss.Value("subcenters") ?? "1", CultureInfo.InvariantCulture);
        double[,] embeddings = reader.Matrix("embeddings");
        double[,] centers = reader.Matrix("centers");
        double[] labels = reader.Vector("labels");
        (int batch, int size) = Shape(embeddings);
        int rows = centers.GetLength(0);
        if (size != centers.GetLength(1) || labels.Length != batch || rows % k != 0)
        {
            throw reader.Bad(
                $"embeddings are [{batch}, {size}], centers [{rows}, {centers.GetLength(1)}], labels [{labels.Length}], "
                + $"{k} centers per class; they do not match");
        }

        foreach (double label in labels.Where(label => label != Math.Floor(label) || label < 0 || label >= rows))
        {
            throw reader.Bad(FormattableString.Invariant($"label {label} is not one of 0 to {rows - 1}"));
        }

        int biases = name switch { "uce" or "sphereface2" => 1, "bce" => rows, _ => 0 };
        double[]? bias = biases > 0 ? reader.Vector("bias") : null;
        ExpectedResults expected = new(
            reader.Number("loss"),
            reader.Matrix("gradEmbeddings"),
            reader.Matrix("gradCenters"),
            biases > 0 ? reader.Vector("gradBias") : null,
            reader.OptionalNumbers("s0"),
            reader.OptionalNumbers("t", "batchMean", "batchStd", "s1"));
        if (Shape(expected.EmbeddingGradient) != Shape(embeddings) || Shape(expected.CenterGradient) != Shape(centers))
        {
            throw reader.Bad("gradEmbeddings and gradCenters must have the shapes of embeddings and centers");
        }

        if (biases > 0 && (bias!.Length != biases || expected.BiasGradient!.Length != biases))
        {
            throw reader.Bad($"bias and gradBias must have {Plural.Format(biases, "value")}");
        }

        if (parameters.Margins is not null && parameters.Margins.Count != batch)
        {
            throw reader.Bad($"params.margins has {parameters.Margins.Count} values for {batch} embeddings");
        }

        long[] classes = [.. labels.Select(label => (long)label / k)];
        return new LossCase(number, parameters.Loss, rows / k, embeddings, centers, classes, bias, parameters.Margins, parameters.State, expected);
    }

    private static (int Rows, int Columns) Shape(double[,] matrix) => (matrix.GetLength(0), matrix.GetLength(1));
}
