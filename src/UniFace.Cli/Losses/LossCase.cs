namespace UniFace.Cli.Losses;

/// <summary>One case of a file of expected values: a loss, its input and its expected results, under the names of the file.</summary>
internal sealed record LossCase
{
    /// <summary>The name of the loss.</summary>
    public string Name { get; init; } = "";

    /// <summary>Its hyperparameters and state, in the letters of the papers.</summary>
    public IReadOnlyDictionary<string, JsonElement> Params { get; init; } = new Dictionary<string, JsonElement>();

    /// <summary>[B, D].</summary>
    public double[][] Embeddings { get; init; } = [];

    /// <summary>[C * K, D].</summary>
    public double[][] Centers { get; init; } = [];

    /// <summary>[B], rows of the centers.</summary>
    [JsonConverter(typeof(NumberOrList))]
    public double[] Labels { get; init; } = [];

    /// <summary>The initial bias; empty if the loss has none.</summary>
    [JsonConverter(typeof(NumberOrList))]
    public double[] Bias { get; init; } = [];

    /// <summary>The expected loss; NaN if it is missing.</summary>
    public double Loss { get; init; } = double.NaN;

    /// <summary>dLoss/dEmbeddings, [B, D].</summary>
    public double[][] GradEmbeddings { get; init; } = [];

    /// <summary>dLoss/dCenters, [C * K, D].</summary>
    public double[][] GradCenters { get; init; } = [];

    /// <summary>dLoss/dBias; empty if the loss has none.</summary>
    [JsonConverter(typeof(NumberOrList))]
    public double[] GradBias { get; init; } = [];

    /// <summary>The scale before the step, of AdaCos.</summary>
    public double? S0 { get; init; }

    /// <summary>The scale after the step, of AdaCos.</summary>
    public double? S1 { get; init; }

    /// <summary>t after the step, of CurricularFace.</summary>
    public double? T { get; init; }

    /// <summary>The mean norm after the step, of AdaFace.</summary>
    public double? BatchMean { get; init; }

    /// <summary>The deviation of the norms after the step, of AdaFace.</summary>
    public double? BatchStd { get; init; }

    /// <summary>Position in the file, from 1.</summary>
    [JsonIgnore]
    public int Number { get; private init; }

    /// <summary>The loss, and the state that it starts with.</summary>
    [JsonIgnore]
    public CaseParameters Parameters { get; private init; } = null!;

    /// <summary>Centers per class.</summary>
    [JsonIgnore]
    public int CentersPerClass => int.Parse(Parameters.Loss.Value("subcenters") ?? "1", CultureInfo.InvariantCulture);

    /// <summary>The case with the file's values for those that it does not have, after checking it.</summary>
    /// <exception cref="UniFaceException">An unknown loss or parameter, or values that do not fit together; the message names the case.</exception>
    public LossCase Complete(LossCaseFile file, int number, string path)
    {
        string where = $"{path}, case {number} ({Name})";
        try
        {
            LossCase complete = this with
            {
                Embeddings = Embeddings.Length > 0 ? Embeddings : file.Embeddings ?? [],
                Centers = Centers.Length > 0 ? Centers : file.Centers ?? [],
                Labels = Labels.Length > 0 ? Labels : file.Labels ?? [],
                Number = number,
                Parameters = CaseParameters.Read(Name, Params),
            };
            complete.Check();
            return complete;
        }
        catch (Exception e) when (e is UniFaceException or InvalidOperationException or FormatException)
        {
            throw new UniFaceException($"{where}: {(e is UniFaceException ? "" : "a value of 'params' has an unexpected type: ")}{e.Message}", e);
        }
    }

    private void Check()
    {
        if (double.IsNaN(Loss))
        {
            throw new UniFaceException("field 'loss' is missing.");
        }

        int size = Embeddings.FirstOrDefault()?.Length ?? 0, rows = Centers.Length;
        if (size == 0 || rows == 0 || rows % CentersPerClass != 0 || Labels.Length != Embeddings.Length
            || GradEmbeddings.Length != Embeddings.Length || GradCenters.Length != rows
            || !Embeddings.Concat(Centers).Concat(GradEmbeddings).Concat(GradCenters).All(row => row.Length == size && row.All(double.IsFinite)))
        {
            throw new UniFaceException(
                $"embeddings are {Shape(Embeddings)}, centers {Shape(Centers)}, labels [{Labels.Length}], gradEmbeddings {Shape(GradEmbeddings)}, " +
                $"gradCenters {Shape(GradCenters)}, {CentersPerClass} centers per class; expected finite numbers whose shapes match.");
        }

        foreach (double label in Labels.Where(label => label != Math.Floor(label) || label < 0 || label >= rows))
        {
            throw new UniFaceException(FormattableString.Invariant($"label {label} is not one of 0 to {rows - 1}."));
        }

        if (Parameters.Margins is { } margins && margins.Count != Embeddings.Length)
        {
            throw new UniFaceException($"params.margins has {margins.Count} values for {Embeddings.Length} embeddings.");
        }
    }

    private static string Shape(double[][] matrix) => $"[{matrix.Length}, {string.Join(" or ", matrix.Select(row => row.Length).Distinct())}]";

    /// <summary>Reads a single number as a list of one.</summary>
    internal sealed class NumberOrList : JsonConverter<double[]>
    {
        public override double[] Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            reader.TokenType == JsonTokenType.Number ? [reader.GetDouble()] : JsonSerializer.Deserialize<double[]>(ref reader, options)!;

        public override void Write(Utf8JsonWriter writer, double[] value, JsonSerializerOptions options) => throw new NotSupportedException();
    }
}
