using System.Globalization;
using UniFace.Data;
using UniFace.Evaluation;
using UniFace.Faces;
using UniFace.Packages;
using UniFace.Training.Backbones;
using UniFace.Training.Checkpoints;
using UniFace.Training.Head;
using static TorchSharp.torch;

namespace UniFace.Training;

/// <summary>Starts runs, and resumes them.</summary>
public static class Trainers
{
    /// <summary>
    /// Starts a run in a folder: checks the options and data, hashes the data and writes run.json. A run that ended before its first checkpoint is replaced.
    /// </summary>
    /// <param name="folder">The RUN folder; made if it is not there.</param>
    /// <param name="options">What to train.</param>
    /// <param name="data">The training set; stays the caller's and must outlive the trainer.</param>
    /// <param name="decoder">Decodes its pictures.</param>
    /// <param name="validation">People to validate on, or null; stays the caller's.</param>
    /// <param name="hashed">Called with the number of pictures hashed, from several threads.</param>
    /// <param name="cancellationToken">Stops the hashing.</param>
    /// <exception cref="UniFaceException">The folder holds a run already, or an option or the data is not fit for training.</exception>
    public static Trainer Start(
        string folder,
        TrainOptions options,
        FaceDataset data,
        IImageDecoder decoder,
        FaceDataset? validation = null,
        Action<int>? hashed = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(data);
        options.Validate();
        BackboneRegistry.Validate(options.Backbone);
        RequireFree(folder);
        Device device = OpenDevice(options.Device);
        TrainingData prepared = TrainingData.Create(options, data, validation, decoder);
        string dataHash = validation is null
            ? data.ComputeHash(hashed, cancellationToken)
            : HashApartFrom(validation, data, prepared.Training, hashed, cancellationToken);
        RunInfo info = new()
        {
            Id = Guid.NewGuid().ToString("N"),
            ToolVersion = ToolVersion.Current,
            Started = DateTime.UtcNow,
            Options = options,
            DataHash = dataHash,
            People = prepared.Training.People.Count,
            Images = prepared.Training.Samples.Count,
            HeldOut = prepared.HeldOut?.People ?? [],
            StepsPerEpoch = StepsPerEpoch(options, prepared),
        };
        set_num_threads(options.Threads);
        TrainingState state = NewState(info, device);
        try
        {
            using RunClaim claim = RunClaim.Take(folder);
            RequireFree(folder); // again, now that no other process can start one here
            TrainingRun.WriteInfo(folder, info);
            return new Trainer(folder, info, prepared, state, device, fresh: true);
        }
        catch
        {
            state.Dispose();
            throw;
        }
    }

    /// <summary>Goes on with a run from its last checkpoint, or from its start where there is none yet.</summary>
    /// <param name="folder">The RUN folder.</param>
    /// <param name="data">The training set, opened from the path in run.json.</param>
    /// <param name="decoder">Decodes its pictures.</param>
    /// <param name="validation">The validation set of run.json's options, or null.</param>
    /// <param name="hashed">Called with the number of pictures hashed, from several threads.</param>
    /// <param name="changed">
    /// The run's options with another <see cref="TrainOptions.Threads"/>, another path of the same <see cref="TrainOptions.Data"/>, or more
    /// <see cref="TrainOptions.Epochs"/>; written to run.json when training goes on. Null to go on as the run is.
    /// </param>
    /// <param name="cancellationToken">Stops the hashing.</param>
    /// <exception cref="UniFaceException">No run, a damaged checkpoint, the data has changed since the run started, or a change that a run may not have.</exception>
    public static Trainer Resume(
        string folder,
        FaceDataset data,
        IImageDecoder decoder,
        FaceDataset? validation = null,
        Action<int>? hashed = null,
        TrainOptions? changed = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(data);
        _ = TrainingRun.ReadInfo(folder); // a folder that is no run is refused before the claim writes into it
        using RunClaim claim = RunClaim.Take(folder);
        RunInfo stored = TrainingRun.ReadInfo(folder);
        RunInfo info = stored with { Options = changed ?? stored.Options };
        info.Options.Validate();
        IReadOnlyList<string> changes = RunChanges.Between(stored.Options, info.Options);
        Device device = OpenDevice(info.Options.Device);
        string hash = data.ComputeHash(hashed, cancellationToken);
        if (hash != info.DataHash)
        {
            throw new UniFaceException(
                $"{data.Source} has changed since {folder} was started (its hash is {hash[..12]}, run.json says {info.DataHash[..Math.Min(12, info.DataHash.Length)]}): " +
                "a resumed run would not be the run that was started. Bring the pictures back, or start a new run with --out.");
        }

        TrainingData prepared = TrainingData.Create(info.Options, data, validation, decoder);
        if (prepared.Training.People.Count != info.People || StepsPerEpoch(info.Options, prepared) != info.StepsPerEpoch)
        {
            throw new UniFaceException($"{folder}: run.json says {info.People} people and {info.StepsPerEpoch} steps an epoch, the data and options give {prepared.Training.People.Count} and {StepsPerEpoch(info.Options, prepared)}; run.json was edited, or another version wrote it.");
        }

        set_num_threads(info.Options.Threads);
        TrainingState state = NewState(info, device);
        try
        {
            string last = Path.Combine(folder, TrainingRun.LastFile);
            bool fresh = !File.Exists(last);
            if (!fresh)
            {
                state.Load(last);
            }
            else if (File.Exists(Path.Combine(folder, TrainingRun.PreviousFile)))
            {
                throw new UniFaceException($"{last} is missing. The checkpoint before it is {TrainingRun.PreviousFile}: rename it to {TrainingRun.LastFile} " +
                    "to go on from there, or choose another --out.");
            }

            info = info with { Changes = [.. stored.Changes, .. changes.Select(change => FormattableString.Invariant($"step {state.Step}: {change}"))] };
            return new Trainer(folder, info, prepared, state, device, fresh, changes);
        }
        catch
        {
            state.Dispose();
            throw;
        }
    }

    private static void RequireFree(string folder)
    {
        string[] checkpoints = [TrainingRun.LastFile, TrainingRun.PreviousFile];
        if (TrainingRun.Exists(folder) && checkpoints.Any(name => File.Exists(Path.Combine(folder, name))))
        {
            throw new UniFaceException($"{folder} holds a run already: go on with 'uniface train --resume {folder}', or choose another --out.");
        }
    }

    /// <summary>The hash of the data set, which is read for it anyway, after a look whether the validation set has its people or pictures.</summary>
    private static string HashApartFrom(FaceDataset validation, FaceDataset data, FaceDataset trained, Action<int>? hashed, CancellationToken cancellationToken)
    {
        TrainingFingerprint judged = new();
        _ = validation.ComputeHash((i, encoded) => judged.Add(validation.People[validation.Samples[i].Label], encoded), cancellationToken);
        HashSet<string> names = [.. trained.Samples.Select(s => s.Name)];
        (string hash, OverlapFound? overlap) = OverlapCheck.Read(data, judged, sample => names.Contains(sample.Name), hashed, cancellationToken);
        return overlap is null
            ? hash
            : throw new UniFaceException(string.Create(
                CultureInfo.InvariantCulture,
                $"{validation.Source} has {overlap.Pictures} of the {trained.Samples.Count} " +
                $"training pictures and {overlap.People} of the {trained.People.Count} people by name, e.g. {overlap.Example}: a validation on " +
                $"training data says nothing about strangers; give other people to --val, or hold some out with --val-people."));
    }

    private static int StepsPerEpoch(TrainOptions options, TrainingData data) =>
        (data.Loader.BatchesPerEpoch + options.Accumulate - 1) / options.Accumulate;

    private static TrainingState NewState(RunInfo info, Device device)
    {
        TrainOptions options = info.Options;
        Backbone backbone = CreateBackbone(options, device);
        return new TrainingState(options, backbone, CreateHead(options, info.People, device), device) { RunId = info.Id };
    }

    private static Device OpenDevice(string name)
    {
        try
        {
            Device device = new(name);
            using Tensor there = ones(1).to(device);
            return device;
        }
        catch (Exception e) when (e is ArgumentException or System.Runtime.InteropServices.ExternalException or InvalidOperationException or FormatException)
        {
            throw new UniFaceException($"--device {name} cannot be used here ({e.Message.Split('\n')[0]}); expected cpu, cuda, cuda:N or mps, and a build with -p:TorchDevice=cuda for cuda.", e);
        }
    }

    /// <summary>The fresh network of a run.</summary>
    internal static Backbone CreateBackbone(TrainOptions options, Device device)
    {
        Backbone backbone = BackboneRegistry.Create(options.Backbone, options.Seed);
        backbone.Train(options.Precision, device);
        return backbone;
    }

    /// <summary>The head of a run: its loss over so many people.</summary>
    internal static RecognitionHead CreateHead(TrainOptions options, int people, Device device) => options.Loss.CreateHead(
        people,
        options.Backbone.EmbeddingSize,
        options.Seed,
        device: device,
        centers: options.CenterType == CenterType.BFloat16 ? ScalarType.BFloat16 : null);
}
