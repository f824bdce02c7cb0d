namespace UniFace.Training.Runs;

/// <summary>The files of a run folder.</summary>
internal static class RunFolder
{
    /// <summary>The description of the run.</summary>
    public const string InfoFile = "run.json";

    /// <summary>The checkpoint that training resumes from.</summary>
    public const string LastFile = CheckpointStore.LastFile;

    /// <summary>The weights that were best on the validation set; absent without validation.</summary>
    public const string BestFile = "best.ckpt";

    /// <summary>The metrics, one JSON object per line.</summary>
    public const string MetricsFile = "metrics.jsonl";

    /// <summary>The event log: starts, warnings and ends, one JSON object per line.</summary>
    public const string NotesFile = "notes.jsonl";

    /// <summary>The folder of TensorBoard's event files.</summary>
    public const string TensorBoardFolder = "tensorboard";

    // Not generated at compile time: options and losses have defaults that generated code would overwrite where a file does not state them.
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false) },
    };

    // run.json is untrusted: null is refused where the types do not allow it.
    private static readonly JsonSerializerOptions Untrusted = new(Json) { RespectNullableAnnotations = true };

    /// <summary>True if a folder is a run.</summary>
    public static bool Exists(string runFolder) => File.Exists(Path.Combine(runFolder, InfoFile));

    /// <summary>Reads run.json.</summary>
    /// <exception cref="UniFaceException">The folder is not a run, or its run.json is damaged or of an unknown version.</exception>
    public static RunInfo ReadInfo(string runFolder)
    {
        string path = Path.Combine(runFolder, InfoFile);
        if (!File.Exists(path))
        {
            throw new UniFaceException($"{runFolder} is not a training run: it has no {InfoFile}.");
        }

        try
        {
            RunInfo info = JsonSerializer.Deserialize<RunInfo>(File.ReadAllText(path), Untrusted) ?? throw new JsonException("the file is empty");
            if (info.SchemaVersion is < 1 or > RunInfo.CurrentSchemaVersion)
            {
                throw new UniFaceException(
                    $"{path} has schema version {info.SchemaVersion}, this version reads 1 to {RunInfo.CurrentSchemaVersion}; it was written by UniFace " +
                    $"{info.ToolVersion}: use that version or a newer one.");
            }

            if (info.Options?.Loss is null || info.Options.Backbone is null || info.People < (info.Options.UsesLabels ? 2 : 1) || info.StepsPerEpoch < 1)
            {
                throw new JsonException("options, loss, backbone, people or stepsPerEpoch are missing");
            }

            return info;
        }
        catch (JsonException e)
        {
            throw new UniFaceException($"{path} is not a run description: {e.Message}", e);
        }
    }

    /// <summary>Writes run.json.</summary>
    public static void WriteInfo(string runFolder, RunInfo info) =>
        AtomicFile.WriteText(Path.Combine(runFolder, InfoFile), JsonSerializer.Serialize(info, Json) + "\n");

    /// <summary>
    /// Loads the backbone of a run on the CPU in evaluation mode, with the moving average of its weights if the run keeps one.
    /// </summary>
    /// <param name="runFolder">The run.</param>
    /// <param name="best">True: the weights that were best on validation, if there are any. False: the last ones.</param>
    /// <exception cref="UniFaceException">There is no run or no checkpoint yet, or the checkpoint does not match run.json.</exception>
    public static (Backbone Backbone, RunInfo Info) LoadBackbone(string runFolder, bool best = true)
    {
        TorchRuntime.Require();
        RunInfo info = ReadInfo(runFolder);
        using SafeTensorsFile file = Checkpoint.Open(CheckpointPath(runFolder, best), info.Id);
        Backbone backbone = BackboneRegistry.Create(info.Options.Backbone, info.Options.Seed);
        try
        {
            Checkpoint.ReadModule(file, Checkpoint.BackbonePrefix, backbone);
            Checkpoint.ReadAverage(file, backbone);
            backbone.eval();
            return (backbone, info);
        }
        catch
        {
            backbone.Dispose();
            throw;
        }
    }

    /// <summary>The fingerprint of what a run was trained on; incomplete if the run has none.</summary>
    /// <exception cref="UniFaceException">The fingerprint is damaged.</exception>
    public static TrainingFingerprint LoadFingerprint(string runFolder)
    {
        string path = Path.Combine(runFolder, TrainingFingerprint.FileName);
        return File.Exists(path) ? TrainingFingerprint.Load(path) : new TrainingFingerprint(complete: false);
    }

    /// <summary>Path of the checkpoint that <see cref="LoadBackbone"/> reads.</summary>
    /// <exception cref="UniFaceException">The run has no checkpoint.</exception>
    public static string CheckpointPath(string runFolder, bool best = true)
    {
        string bestPath = Path.Combine(runFolder, BestFile);
        string lastPath = Path.Combine(runFolder, LastFile);
        string path = best && File.Exists(bestPath) ? bestPath : lastPath;
        return File.Exists(path)
            ? path
            : throw new UniFaceException($"{runFolder} has no {LastFile}: the run stopped before its first checkpoint; start it again.");
    }
}
