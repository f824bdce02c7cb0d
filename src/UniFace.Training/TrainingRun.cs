using System.Text.Json;
using UniFace.Data;
using UniFace.IO;
using UniFace.Packages;
using UniFace.Training.Backbones;
using UniFace.Training.Checkpoints;

namespace UniFace.Training;

/// <summary>A RUN folder: run.json, last.ckpt, previous.ckpt, best.ckpt, metrics.jsonl, notes.jsonl, training.hashes, tensorboard/, training.lock.</summary>
public static class TrainingRun
{
    /// <summary>Name of the run's description.</summary>
    public const string InfoFile = "run.json";

    /// <summary>Name of the checkpoint that training goes on from.</summary>
    public const string LastFile = "last.ckpt";

    /// <summary>Name of the weights that were best on the validation set; absent without validation.</summary>
    public const string BestFile = "best.ckpt";

    /// <summary>Name of the checkpoint before the last, kept in case the last is damaged.</summary>
    public const string PreviousFile = "previous.ckpt";

    /// <summary>Name of the log of metrics, one JSON object a line.</summary>
    public const string MetricsFile = "metrics.jsonl";

    /// <summary>Name of the log of starts, warnings and ends, one JSON object a line.</summary>
    public const string NotesFile = "notes.jsonl";

    /// <summary>Name of the folder of TensorBoard's event files.</summary>
    public const string TensorBoardFolder = "tensorboard";

    // run.json may have been edited: no null where the types have none.
    private static readonly JsonSerializerOptions Untrusted = new(ModelManifest.Json) { RespectNullableAnnotations = true };

    /// <summary>True where a folder is a run.</summary>
    public static bool Exists(string runFolder) => File.Exists(Path.Combine(runFolder, InfoFile));

    /// <summary>Reads run.json.</summary>
    /// <exception cref="UniFaceException">The folder is no run, or its run.json is damaged or of a newer version.</exception>
    public static RunInfo ReadInfo(string runFolder)
    {
        string path = Path.Combine(runFolder, InfoFile);
        if (!File.Exists(path))
        {
            throw new UniFaceException($"{runFolder} is no training run: it has no {InfoFile}. Start one with 'uniface train DATA --out {runFolder}'.");
        }

        try
        {
            RunInfo info = JsonSerializer.Deserialize<RunInfo>(File.ReadAllText(path), Untrusted) ?? throw new JsonException("the file is empty");
            if (info.SchemaVersion != RunInfo.CurrentSchemaVersion)
            {
                throw new UniFaceException($"{path} has schema version {info.SchemaVersion}, expected {RunInfo.CurrentSchemaVersion}; it was written by UniFace {info.ToolVersion}.");
            }

            if (info.Options?.Loss is null || info.Options.Backbone is null || info.People < 2 || info.StepsPerEpoch < 1)
            {
                throw new JsonException("options, loss, backbone, people or stepsPerEpoch are missing");
            }

            return info;
        }
        catch (JsonException e)
        {
            throw new UniFaceException($"{path} is no run description: {e.Message}", e);
        }
    }

    /// <summary>Writes run.json.</summary>
    public static void WriteInfo(string runFolder, RunInfo info) =>
        AtomicFile.WriteText(Path.Combine(runFolder, InfoFile), JsonSerializer.Serialize(info, ModelManifest.Json) + "\n");

    /// <summary>
    /// Loads a run's backbone on the CPU in evaluation mode: with the moving average of its weights where the run keeps one.
    /// </summary>
    /// <param name="runFolder">The run.</param>
    /// <param name="best">True: the weights that were best on validation, where there are such; else the last ones.</param>
    /// <exception cref="UniFaceException">No run, no checkpoint yet, or the checkpoint does not fit run.json.</exception>
    public static (Backbone Backbone, RunInfo Info) LoadBackbone(string runFolder, bool best = true)
    {
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

    /// <summary>What a run was trained on; incomplete if it has no record of that, as a run of an older version.</summary>
    /// <exception cref="UniFaceException">The record is damaged.</exception>
    public static TrainingFingerprint LoadFingerprint(string runFolder)
    {
        string path = Path.Combine(runFolder, TrainingFingerprint.FileName);
        return File.Exists(path) ? TrainingFingerprint.Load(path) : new TrainingFingerprint(complete: false);
    }

    /// <summary>
    /// The people of a run's sets that it was not trained on: its validation set, those held out of its training set, or null
    /// where it trained on everybody. What a calibration of the run can be measured on.
    /// </summary>
    /// <param name="info">The run.</param>
    /// <param name="data">Its training set.</param>
    /// <param name="validation">Its validation set, where it has one.</param>
    public static FaceDataset? UnseenPeople(RunInfo info, FaceDataset data, FaceDataset? validation)
    {
        ArgumentNullException.ThrowIfNull(info);
        return validation ?? TrainingData.Split(info.Options, data).HeldOut;
    }

    /// <summary>Path of the checkpoint that <see cref="LoadBackbone"/> reads.</summary>
    /// <exception cref="UniFaceException">The run has no checkpoint.</exception>
    public static string CheckpointPath(string runFolder, bool best = true)
    {
        string bestPath = Path.Combine(runFolder, BestFile);
        string lastPath = Path.Combine(runFolder, LastFile);
        string path = best && File.Exists(bestPath) ? bestPath : lastPath;
        return File.Exists(path) ? path : throw new UniFaceException($"{runFolder} has no {LastFile}: the run stopped before its first checkpoint; start it again.");
    }
}
