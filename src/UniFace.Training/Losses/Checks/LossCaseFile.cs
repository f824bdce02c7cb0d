using System.Text.Json;

namespace UniFace.Training.Losses.Checks;

/// <summary>
/// Reads a file of golden values: {"embeddings": [B][D], "centers": [C][D], "labels": [B], "cases": [{"name", "params", "loss",
/// "gradEmbeddings", "gradCenters", ...}]}. A case may have embeddings, centers and labels of its own. Losses with a bias also
/// have "bias" and "gradBias". Sub-centers of a class are neighbouring rows, and its label is the file's label / k.
/// </summary>
public static class LossCaseFile
{
    /// <summary>Reads all cases.</summary>
    /// <exception cref="UniFaceException">Not JSON, a field is missing or has another form, an unknown loss or parameter; names the case.</exception>
    public static IReadOnlyList<LossCase> Read(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
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
            CaseReader file = new(document.RootElement, null, path);
            List<LossCase> cases = [];
            foreach (JsonElement element in file.Array("cases"))
            {
                cases.Add(ReadCase(element, document.RootElement, $"{path}, case {cases.Count + 1}", cases.Count + 1));
            }

            return cases.Count > 0 ? cases : throw new UniFaceException($"{path} has no cases.");
        }
    }

    private static LossCase ReadCase(JsonElement element, JsonElement file, string where, int number)
    {
        string name = new CaseReader(element, file, where).Text("name");
        CaseReader reader = new(element, file, $"{where} ({name})");
        CaseParameters parameters = reader.Guard(() => CaseParameters.Read(name, reader));
        int k = parameters.Spec.CentersPerClass;
        CaseMatrix embeddings = reader.Matrix("embeddings");
        CaseMatrix centers = reader.Matrix("centers");
        IReadOnlyList<double> labels = reader.Vector("labels");
        if (embeddings.Columns != centers.Columns || labels.Count != embeddings.Rows || centers.Rows % k != 0)
        {
            throw reader.Bad($"embeddings are [{embeddings.Rows}, {embeddings.Columns}], centers [{centers.Rows}, {centers.Columns}], labels [{labels.Count}], {k} centers a class; they do not fit");
        }

        foreach (double label in labels)
        {
            if (label != Math.Floor(label) || label < 0 || label >= centers.Rows)
            {
                throw reader.Bad(FormattableString.Invariant($"label {label} is not one of 0 to {centers.Rows - 1}"));
            }
        }

        CaseMatrix embeddingGradient = reader.Matrix("gradEmbeddings");
        CaseMatrix centerGradient = reader.Matrix("gradCenters");
        if (embeddingGradient.Rows != embeddings.Rows || embeddingGradient.Columns != embeddings.Columns
            || centerGradient.Rows != centers.Rows || centerGradient.Columns != centers.Columns)
        {
            throw reader.Bad("gradEmbeddings and gradCenters must have the forms of embeddings and centers");
        }

        int biases = name switch { "uce" or "sphereface2" => 1, "bce" => centers.Rows, _ => 0 };
        IReadOnlyList<double>? bias = biases > 0 ? reader.Vector("bias") : null;
        IReadOnlyList<double>? biasGradient = biases > 0 ? reader.Vector("gradBias") : null;
        if (biases > 0 && (bias!.Count != biases || biasGradient!.Count != biases))
        {
            throw reader.Bad($"bias and gradBias must have {biases} value{(biases == 1 ? "" : "s")}");
        }

        if (parameters.Margins is not null && parameters.Margins.Count != embeddings.Rows)
        {
            throw reader.Bad($"params.margins has {parameters.Margins.Count} values for {embeddings.Rows} embeddings");
        }

        return new LossCase
        {
            Number = number,
            Spec = parameters.Spec,
            Embeddings = embeddings,
            Centers = centers,
            Labels = [.. labels.Select(l => (long)l / k)],
            SubCenters = k,
            Margins = parameters.Margins,
            State = parameters.State,
            Bias = bias,
            Loss = reader.Number("loss"),
            EmbeddingGradient = embeddingGradient,
            CenterGradient = centerGradient,
            BiasGradient = biasGradient,
            ExpectedBefore = reader.Optional("s0"),
            ExpectedAfter = reader.Optional("t", "batchMean", "batchStd", "s1"),
        };
    }
}
