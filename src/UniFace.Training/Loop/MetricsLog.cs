namespace UniFace.Training.Loop;

/// <summary>Writes metrics.jsonl and TensorBoard's event files. A row is written to the file before the call returns.</summary>
internal sealed class MetricsLog : IDisposable
{
    private readonly StreamWriter writer;
    private readonly TensorBoardLog board;

    /// <summary>Opens the log of a run and removes the rows after its checkpoint, so that no step or epoch occurs twice.</summary>
    /// <param name="folder">The run folder.</param>
    /// <param name="step">Last step to keep.</param>
    /// <param name="epoch">Last completed epoch to keep; -1 keeps nothing.</param>
    public MetricsLog(string folder, long step, int epoch)
    {
        Directory.CreateDirectory(folder);
        string path = Path.Combine(folder, RunFolder.MetricsFile);
        if (File.Exists(path))
        {
            AtomicFile.WriteText(path, string.Concat(File.ReadLines(path).Where(line => IsKept(line, step, epoch)).Select(line => line + "\n")));
        }

        writer = new StreamWriter(new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.Read)) { AutoFlush = true };
        board = new TensorBoardLog(Path.Combine(folder, RunFolder.TensorBoardFolder));
    }

    public void Write(StepMetrics row)
    {
        writer.WriteLine(JsonSerializer.Serialize(row, MetricsJson.Default.StepMetrics));
        board.Write(row);
    }

    public void Write(EpochMetrics row)
    {
        writer.WriteLine(JsonSerializer.Serialize(row, MetricsJson.Default.EpochMetrics));
        if (row.Epoch > 0)
        {
            board.Write(row);
        }
    }

    public void Dispose()
    {
        writer.Dispose();
        board.Dispose();
    }

    private static bool IsKept(string line, long step, int epoch)
    {
        try
        {
            MetricsPosition? row = JsonSerializer.Deserialize(line, MetricsJson.Default.MetricsPosition);
            return row?.Kind == "epoch" ? row.Epoch <= epoch : row?.Step <= step;
        }
        catch (JsonException)
        {
            return false; // A line truncated by a kill.
        }
    }
}

/// <summary>Where a row of the log stands.</summary>
internal sealed record MetricsPosition(string? Kind, long? Step, int? Epoch);

[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    GenerationMode = JsonSourceGenerationMode.Metadata)]
[JsonSerializable(typeof(StepMetrics))]
[JsonSerializable(typeof(EpochMetrics))]
[JsonSerializable(typeof(MetricsPosition))]
internal sealed partial class MetricsJson : JsonSerializerContext;
