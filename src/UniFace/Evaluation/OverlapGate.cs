namespace UniFace.Evaluation;

/// <summary>Refuses to measure a model on its training data, or warns about it and records it if that is allowed.</summary>
internal sealed class OverlapGate
{
    /// <summary>Name of the model in messages.</summary>
    public required string Model { get; init; }

    /// <summary>Fingerprint of what the model was trained on; null if unknown.</summary>
    public required TrainingFingerprint? Trained { get; init; }

    /// <summary>Hash of the training set (<see cref="DatasetHash"/>), which runs and packages without fingerprint also have; null if unknown.</summary>
    public string? TrainedHash { get; init; }

    /// <summary>True: an overlap causes a warning, not an error.</summary>
    public bool Allowed { get; init; }

    /// <summary>Appended to a refusal: how to allow the overlap.</summary>
    public string Hint { get; init; } = "";

    /// <summary>Receives warnings.</summary>
    public Action<string>? Warning { get; init; }

    /// <summary>Called while a set is read, from several threads: activity, images read since the last call, images in total.</summary>
    public Action<string, int, int>? Progress { get; init; }

    /// <summary>Stops the reading.</summary>
    public CancellationToken Cancellation { get; init; }

    /// <summary>Reads a set and checks it for training data.</summary>
    /// <param name="data">The set.</param>
    /// <param name="uses">The samples that are measured on; null for all.</param>
    /// <returns>The hash of the set (<see cref="DatasetHash"/>), and the overlap that was allowed.</returns>
    /// <exception cref="UniFaceException">There is an overlap that is not allowed.</exception>
    public (string Sha256, TrainingOverlap? Overlap) Check(FaceDataset data, Func<FaceSample, bool>? uses = null)
    {
        (string hash, OverlapFound? found) = OverlapCheck.Read(
            data, Trained, uses, count => Progress?.Invoke("reading " + data.Source, count, data.Samples.Count), Cancellation);
        if (found is null && hash == TrainedHash)
        {
            found = new OverlapFound(data.Samples.Count, data.People.Count, data.Samples[0].Name);
        }

        return (hash, Decide(data.Source, found));
    }

    /// <summary>Checks images of unnamed people.</summary>
    /// <param name="source">Name of the images in messages.</param>
    /// <param name="images">Their encoded bytes. Each is read once, even if the training data is unknown.</param>
    /// <exception cref="UniFaceException">There is an overlap that is not allowed.</exception>
    public TrainingOverlap? Check(string source, IEnumerable<ReadOnlyMemory<byte>> images)
    {
        int found = images.Count(image => Trained?.HasImage(image.Span) == true);
        return Decide(source, found == 0 ? null : new OverlapFound(found, 0, source));
    }

    /// <summary>Refuses an overlap that is not allowed, and warns about one that is.</summary>
    /// <exception cref="UniFaceException">It is not allowed.</exception>
    public TrainingOverlap? Decide(string source, OverlapFound? found)
    {
        if (Trained is { Complete: false })
        {
            Warning?.Invoke(
                $"the record of what {Model} was trained on ({TrainingFingerprint.FileName}) is missing or incomplete, so an overlap with {source} may " +
                "be missed");
        }

        if (found is null)
        {
            return null;
        }

        string what =
            $"{source}: {Model} was trained on {found.Images} of these images and {found.People} of these people by name, e.g. {found.Example}";
        if (!Allowed)
        {
            throw new UniFaceException($"{what}: on them it performs better than on new people. Give people it was not trained on.{Hint}");
        }

        Warning?.Invoke(what);
        return new TrainingOverlap(found.Images, found.People);
    }
}
