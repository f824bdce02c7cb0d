namespace UniFace.Training.Checkpoints;

/// <summary>A file with the rows of some classes.</summary>
/// <param name="File">Its name, in the folder of the checkpoint.</param>
/// <param name="First">The first class.</param>
/// <param name="Count">Number of classes.</param>
internal sealed record CheckpointPart(string File, int First, int Count);

/// <summary>
/// The parts of a sharded checkpoint: one file per rank with its rows of the tensors that have rows for each class. The checkpoint itself names its
/// parts and is written after all of them, so that a kill at any moment leaves the checkpoint before it and its parts.
/// </summary>
/// <param name="folder">The folder of the checkpoint.</param>
/// <param name="communicator">The ranks.</param>
internal sealed class CheckpointParts(string folder, ICommunicator communicator)
{
    /// <summary>Key of the metadata of a checkpoint that lists its parts.</summary>
    public const string Key = "parts";

    /// <summary>Value of the metadata "format" of a part.</summary>
    public const string Format = "uniface-checkpoint-part-1";

    /// <summary>Names of the parts.</summary>
    public const string Pattern = "centers-*" + Extension;

    private const string Extension = ".part";

    /// <summary>Writes the part of every rank, and returns the value of <see cref="Key"/> when all are complete.</summary>
    /// <param name="runId">The id of the run.</param>
    /// <param name="step">The step, for the names.</param>
    /// <param name="classes">Number of classes.</param>
    /// <param name="tensors">The rows of this rank by the names of their tensors.</param>
    public string Write(string runId, long step, int classes, IReadOnlyDictionary<string, Tensor> tensors)
    {
        // A checkpoint can be written twice at the same step, and the files of the one before must stay.
        byte[] random = RandomNumberGenerator.GetBytes(4);
        communicator.Broadcast(random);
        string save = Convert.ToHexStringLower(random);
        CheckpointPart[] parts =
        [
            .. Enumerable.Range(0, communicator.Size).Select(rank =>
            {
                ShardRange range = ShardRange.Of(classes, rank, communicator.Size);
                return new CheckpointPart($"centers-{step:D8}-{save}-{rank + 1}-of-{communicator.Size}{Extension}", range.First, range.Count);
            }),
        ];
        CheckpointPart own = parts[communicator.Rank];
        Dictionary<string, string> metadata = new()
        {
            ["format"] = Format,
            ["run"] = runId,
            ["first"] = $"{own.First}",
            ["count"] = $"{own.Count}",
        };
        SafeTensorsWriter.Write(Path.Combine(folder, own.File), tensors, metadata);
        communicator.Barrier();
        return JsonSerializer.Serialize(parts, CheckpointPartJson.Default.CheckpointPartArray);
    }

    /// <summary>The parts that a checkpoint names; empty if it has none.</summary>
    /// <exception cref="UniFaceException">They are not a list of the parts of all classes.</exception>
    public static IReadOnlyList<CheckpointPart> Parse(string path, IReadOnlyDictionary<string, string> metadata, int? classes = null)
    {
        if (!metadata.TryGetValue(Key, out string? text))
        {
            return [];
        }

        CheckpointPart[]? parts;
        try
        {
            parts = JsonSerializer.Deserialize(text, CheckpointPartJson.Default.CheckpointPartArray);
        }
        catch (JsonException)
        {
            parts = null;
        }

        int next = 0;
        foreach (CheckpointPart part in parts ?? [])
        {
            bool plain = part.File is not null && Path.GetFileName(part.File) == part.File && part.File.EndsWith(Extension, StringComparison.Ordinal);
            next = plain && part.First == next && part.Count > 0 && part.Count <= int.MaxValue - next ? next + part.Count : int.MinValue;
            if (next < 0)
            {
                break;
            }
        }

        return next > 0 && (classes ?? next) == next
            ? parts!
            : throw new UniFaceException($"{path}: the metadata '{Key}' is not a list of the parts of {classes} classes; the checkpoint is damaged.");
    }

    /// <summary>Deletes the parts that no checkpoint of the folder names.</summary>
    public static void DeleteUnused(string folder)
    {
        HashSet<string> used = [];
        foreach (string checkpoint in Directory.EnumerateFiles(folder, "*.ckpt"))
        {
            used.UnionWith(Parse(checkpoint, SafeTensorsFile.ReadMetadata(checkpoint)).Select(part => part.File));
        }

        foreach (string part in Directory.EnumerateFiles(folder, Pattern).Where(part => !used.Contains(Path.GetFileName(part))))
        {
            File.Delete(part);
        }
    }
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, GenerationMode = JsonSourceGenerationMode.Metadata)]
[JsonSerializable(typeof(CheckpointPart[]))]
internal sealed partial class CheckpointPartJson : JsonSerializerContext;
