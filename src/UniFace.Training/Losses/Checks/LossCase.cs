namespace UniFace.Training.Losses.Checks;

/// <summary>A matrix of a case, row by row.</summary>
/// <param name="Rows">Number of rows.</param>
/// <param name="Columns">Number of columns.</param>
/// <param name="Values">Rows * Columns values.</param>
public sealed record CaseMatrix(int Rows, int Columns, IReadOnlyList<double> Values);

/// <summary>One case of a file of golden values: a loss, what it is given, and what must come out.</summary>
public sealed record LossCase
{
    /// <summary>Position in the file, from 1.</summary>
    public required int Number { get; init; }

    /// <summary>The loss with its hyperparameters.</summary>
    public required Loss Spec { get; init; }

    /// <summary>[B, D].</summary>
    public required CaseMatrix Embeddings { get; init; }

    /// <summary>[C * K, D].</summary>
    public required CaseMatrix Centers { get; init; }

    /// <summary>[B], each in [0, C).</summary>
    public required IReadOnlyList<long> Labels { get; init; }

    /// <summary>Centers a class.</summary>
    public required int SubCenters { get; init; }

    /// <summary>Margins of the samples, where the loss would draw them.</summary>
    public IReadOnlyList<double>? Margins { get; init; }

    /// <summary>Values of the head's buffers to begin with, by the buffer's name.</summary>
    public IReadOnlyDictionary<string, double> State { get; init; } = new Dictionary<string, double>();

    /// <summary>The bias to begin with, where the loss has one.</summary>
    public IReadOnlyList<double>? Bias { get; init; }

    /// <summary>The loss that is expected.</summary>
    public required double Loss { get; init; }

    /// <summary>dLoss/dEmbeddings that is expected, [B, D].</summary>
    public required CaseMatrix EmbeddingGradient { get; init; }

    /// <summary>dLoss/dCenters that is expected, [C * K, D].</summary>
    public required CaseMatrix CenterGradient { get; init; }

    /// <summary>dLoss/dBias that is expected, where the loss has one.</summary>
    public IReadOnlyList<double>? BiasGradient { get; init; }

    /// <summary>Values of the head's buffers that are expected before the step, by the file's name for them.</summary>
    public IReadOnlyDictionary<string, double> ExpectedBefore { get; init; } = new Dictionary<string, double>();

    /// <summary>Values of the head's buffers that are expected after the step, by the file's name for them.</summary>
    public IReadOnlyDictionary<string, double> ExpectedAfter { get; init; } = new Dictionary<string, double>();
}
