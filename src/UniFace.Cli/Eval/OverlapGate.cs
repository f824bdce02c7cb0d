using UniFace.Cli.Terminal;
using UniFace.Data;
using UniFace.Evaluation;
using UniFace.Packages;

namespace UniFace.Cli.Eval;

/// <summary>Refuses to measure a model on its own training data, or, with --allow-overlap, reports the overlap with the measurement.</summary>
/// <param name="model">The model's name.</param>
/// <param name="trained">What the model was trained on; null if unknown.</param>
/// <param name="allowed">Whether --allow-overlap was given.</param>
/// <param name="stop">Stops the reading.</param>
/// <param name="trainedHash">The <see cref="DatasetHash"/> of the training set, which also runs and packages without training.hashes have.</param>
internal sealed class OverlapGate(string model, TrainingFingerprint? trained, bool allowed, CancellationToken stop, string? trainedHash = null)
{
    /// <summary>Checks a set before it is measured.</summary>
    /// <param name="data">The set.</param>
    /// <param name="uses">The samples that are measured; null for all.</param>
    /// <returns>The set's <see cref="DatasetHash"/> and the allowed overlap.</returns>
    /// <exception cref="UniFaceException">There is an overlap that is not allowed.</exception>
    public (string Sha256, TrainingOverlap? Overlap) Check(FaceDataset data, Func<FaceSample, bool>? uses = null)
    {
        using ProgressMeter progress = new("reading " + data.Source, data.Samples.Count);
        (string hash, OverlapFound? found) = OverlapCheck.Read(data, trained, uses, count => progress.Add(count), stop);
        if (found is null && hash == trainedHash)
        {
            found = new OverlapFound(data.Samples.Count, data.People.Count, data.Samples[0].Name);
        }

        return (hash, Decide(data.Source, found));
    }

    /// <summary>Checks images of people without names.</summary>
    /// <param name="source">Their source, for messages.</param>
    /// <param name="pictures">Their bytes; all are read once.</param>
    /// <exception cref="UniFaceException">There is an overlap that is not allowed.</exception>
    public TrainingOverlap? Check(string source, IEnumerable<ReadOnlyMemory<byte>> pictures)
    {
        int found = pictures.Count(picture => trained?.HasPicture(picture.Span) == true);
        return Decide(source, found == 0 ? null : new OverlapFound(found, 0, source));
    }

    /// <summary>Refuses an overlap that is not allowed, and warns of an allowed one.</summary>
    /// <exception cref="UniFaceException">The overlap is not allowed.</exception>
    public TrainingOverlap? Decide(string source, OverlapFound? found)
    {
        if (trained is { Complete: false })
        {
            Console.Error.WriteLine(
                $"warning: the record of what {model} was trained on ({TrainingFingerprint.FileName}) is missing or incomplete, so an overlap with " +
                $"{source} may be missed");
        }

        if (found is null)
        {
            return null;
        }

        string what = $"{source}: {model} was trained on {found.Pictures} of these pictures and {found.People} of these people by name, e.g. {found.Example}";
        if (!allowed)
        {
            throw new UniFaceException(
                $"{what}: on them it performs better than on new people. Give people it was not trained on, or --allow-overlap to measure anyway.");
        }

        Console.Error.WriteLine("warning: " + what);
        return new TrainingOverlap(found.Pictures, found.People);
    }
}
