namespace UniFace.Cli.Losses;

/// <summary>One case of a file of expected values: a loss, its input and its expected results.</summary>
/// <param name="Number">Position in the file, from 1.</param>
/// <param name="Loss">The loss with its hyperparameters.</param>
/// <param name="Classes">C.</param>
/// <param name="Embeddings">[B, D].</param>
/// <param name="Centers">[C * K, D].</param>
/// <param name="Labels">[B], each in [0, C).</param>
/// <param name="Bias">The initial bias, or null if the loss has none.</param>
/// <param name="Margins">The margin of each sample, for a loss that otherwise draws them.</param>
/// <param name="State">Initial values of the head's buffers, by name.</param>
/// <param name="Expected">The expected results.</param>
internal sealed record LossCase(
    int Number,
    Loss Loss,
    int Classes,
    double[,] Embeddings,
    double[,] Centers,
    long[] Labels,
    double[]? Bias,
    IReadOnlyList<double>? Margins,
    IReadOnlyDictionary<string, double> State,
    ExpectedResults Expected);

/// <summary>The expected results of a case.</summary>
/// <param name="Loss">The loss.</param>
/// <param name="EmbeddingGradient">dLoss/dEmbeddings, [B, D].</param>
/// <param name="CenterGradient">dLoss/dCenters, [C * K, D].</param>
/// <param name="BiasGradient">dLoss/dBias, or null if the loss has no bias.</param>
/// <param name="StateBefore">Values of the head's buffers before the step, by the file's names.</param>
/// <param name="StateAfter">Values of the head's buffers after the step, by the file's names.</param>
internal sealed record ExpectedResults(
    double Loss,
    double[,] EmbeddingGradient,
    double[,] CenterGradient,
    double[]? BiasGradient,
    IReadOnlyDictionary<string, double> StateBefore,
    IReadOnlyDictionary<string, double> StateAfter);
