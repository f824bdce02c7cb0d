using System.Text.Json;
using System.Text.Json.Nodes;
using UniFace.IO;

namespace UniFace.Training;

/// <summary>A row of metrics.jsonl each few steps; numbers are means since the row before.</summary>
public sealed record StepMetrics
{
    /// <summary>Always "step".</summary>
    public string Kind { get; init; } = "step";

    /// <summary>Steps taken.</summary>
    public required long Step { get; init; }

    /// <summary>Epoch, from 1.</summary>
    public required int Epoch { get; init; }

    /// <summary>Mean loss.</summary>
    public required double Loss { get; init; }

    /// <summary>Learning rate of the last step.</summary>
    public required double Lr { get; init; }

    /// <summary>Pictures a second.</summary>
    public required double ImagesPerSecond { get; init; }

    /// <summary>Mean norm of the gradients before clipping.</summary>
    public required double GradNorm { get; init; }

    /// <summary>Mean cosine of a picture with its own class center.</summary>
    public required double TargetCosine { get; init; }

    /// <summary>Mean of the pictures' largest cosines with another class's center.</summary>
    public required double HardestNegativeCosine { get; init; }

    /// <summary>The learned threshold as a cosine, b / s; null where the loss has none.</summary>
    public double? Threshold { get; init; }
}

/// <summary>A row of metrics.jsonl at the end of each epoch, and one for epoch 0 before the first step.</summary>
public sealed record EpochMetrics
{
    /// <summary>Always "epoch".</summary>
    public string Kind { get; init; } = "epoch";

    /// <summary>Steps taken.</summary>
    public required long Step { get; init; }

    /// <summary>The epoch that ended, from 1; 0 for the state before training.</summary>
    public required int Epoch { get; init; }

    /// <summary>Mean loss.</summary>
    public required double Loss { get; init; }

    /// <summary>Learning rate of the last step.</summary>
    public required double Lr { get; init; }

    /// <summary>Pictures a second; null for epoch 0.</summary>
    public double? ImagesPerSecond { get; init; }

    /// <summary>Mean target cosine.</summary>
    public required double TargetCosine { get; init; }

    /// <summary>Mean hardest-negative cosine.</summary>
    public required double HardestNegativeCosine { get; init; }

    /// <summary>The learned threshold as a cosine; null where the loss has none.</summary>
    public double? Threshold { get; init; }

    /// <summary>Pictures by target cosine: 80 bins of 0.025 from -1 to 1.</summary>
    public required IReadOnlyList<long> TargetHistogram { get; init; }

    /// <summary>Pictures by hardest-negative cosine: 80 bins of 0.025 from -1 to 1.</summary>
    public required IReadOnlyList<long> HardestNegativeHistogram { get; init; }

    /// <summary>What the validation found; null where there was none this epoch.</summary>
    public ValidationMetrics? Validation { get; init; }
}

/// <summary>Verification on people that were not trained on.</summary>
/// <param name="TarAtFar">True accept rate at a false accept rate of 1e-2 (or the smallest rate that the pairs support).</param>
/// <param name="Auc">Area under the ROC curve.</param>
/// <param name="Eer">Equal error rate.</param>
/// <param name="Pairs">Pairs scored.</param>
public sealed record ValidationMetrics(double TarAtFar, double Auc, double Eer, long Pairs);

/// <summary>Appends to metrics.jsonl; a row is on its way to the disk when the call returns.</summary>
public sealed class MetricsLog : IDisposable
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        NumberHandling = System.Text.Json.Serialization.JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    private readonly StreamWriter writer;

    /// <summary>Opens a log, cut back to what a checkpoint knows: no step and no epoch will stand in it twice.</summary>
    /// <param name="path">The file.</param>
    /// <param name="step">Last step to keep.</param>
    /// <param name="epoch">Last completed epoch to keep; -1 keeps nothing.</param>
    public MetricsLog(string path, long step, int epoch)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        if (File.Exists(path))
        {
            AtomicFile.WriteText(path, string.Concat(File.ReadLines(path).Where(line => IsKept(line, step, epoch)).Select(line => line + "\n")));
        }

        writer = new StreamWriter(new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.Read)) { AutoFlush = true };
    }

    /// <summary>Appends a row.</summary>
    public void Write(object row)
    {
        ArgumentNullException.ThrowIfNull(row);
        writer.WriteLine(JsonSerializer.Serialize(row, row.GetType(), Json));
    }

    /// <summary>Closes the file.</summary>
    public void Dispose() => writer.Dispose();

    private static bool IsKept(string line, long step, int epoch)
    {
        try
        {
            JsonNode? row = JsonNode.Parse(line);
            return (string?)row?["kind"] == "epoch" ? (int)row["epoch"]! <= epoch : (long?)row?["step"] <= step;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException or NullReferenceException)
        {
            return false; // A line cut short by a kill.
        }
    }
}
