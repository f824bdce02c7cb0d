using System.CommandLine;
using System.Globalization;
using UniFace.Data;
using UniFace.Evaluation;
using UniFace.Packages;

namespace UniFace.Cli.Protocols;

/// <summary>Refuses to measure a model on what it was trained on, or, with --allow-overlap, says it wherever the measurement goes.</summary>
/// <param name="model">What the model is called.</param>
/// <param name="trained">What it was trained on; null where that is not known.</param>
/// <param name="allowed">Whether --allow-overlap was given.</param>
/// <param name="stop">Stops the reading.</param>
/// <param name="trainedHash">The hash of the set that it was trained on (<see cref="DatasetHash"/>); runs and packages from before training.hashes have it too.</param>
internal sealed class OverlapGate(string model, TrainingFingerprint? trained, bool allowed, CancellationToken stop, string? trainedHash = null)
{
    /// <summary>The option of the commands that measure.</summary>
    public static Option<bool> CreateOption() => new("--allow-overlap")
    {
        Description = "Measure although pictures or people were trained on; the calibration, and every decision by it, then says so.",
    };

    /// <summary>Reads a set before anything is measured on it.</summary>
    /// <param name="data">The set.</param>
    /// <param name="uses">Which samples are measured on; null for all.</param>
    /// <returns>The set's hash (<see cref="DatasetHash"/>), and the overlap that was allowed.</returns>
    /// <exception cref="UniFaceException">There is an overlap that was not allowed.</exception>
    public (string Sha256, TrainingOverlap? Overlap) Check(FaceDataset data, Func<FaceSample, bool>? uses = null)
    {
        using Progress progress = new("reading " + data.Source, data.Samples.Count);
        (string hash, OverlapFound? found) = OverlapCheck.Read(data, trained, uses, count => progress.Add(count), stop);
        if (found is null && hash == trainedHash)
        {
            found = new OverlapFound(data.Samples.Count, data.People.Count, data.Samples[0].Name);
        }

        return (hash, Decide(data.Source, found));
    }

    /// <summary>Looks at pictures of people without names.</summary>
    /// <param name="source">What to call them.</param>
    /// <param name="pictures">Their bytes; each is read once, also if it is not known what the model was trained on.</param>
    /// <exception cref="UniFaceException">There is an overlap that was not allowed.</exception>
    public TrainingOverlap? Check(string source, IEnumerable<ReadOnlyMemory<byte>> pictures)
    {
        int found = pictures.Count(picture => trained?.HasPicture(picture.Span) == true);
        return Decide(source, found == 0 ? null : new OverlapFound(found, 0, source));
    }

    /// <summary>Refuses an overlap that was not allowed, and warns of one that was.</summary>
    /// <exception cref="UniFaceException">It was not allowed.</exception>
    public TrainingOverlap? Decide(string source, OverlapFound? found)
    {
        if (trained is { Complete: false })
        {
            Console.Error.WriteLine($"warning: {model} does not know all that it was trained on ({TrainingFingerprint.FileName} is missing or " +
                $"incomplete), so an overlap with {source} may go unseen");
        }

        if (found is null)
        {
            return null;
        }

        string what = string.Create(
            CultureInfo.InvariantCulture,
            $"{source}: {model} was trained on {found.Pictures} of these pictures and {found.People} of these " +
            $"people by name, e.g. {found.Example}");
        if (!allowed)
        {
            throw new UniFaceException($"{what}: measured on them, it looks better than it is with strangers. Give people whom it has not seen, or " +
                "--allow-overlap to measure all the same.");
        }

        Console.Error.WriteLine("warning: " + what);
        return new TrainingOverlap(found.Pictures, found.People);
    }
}
