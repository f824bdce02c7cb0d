using System.Globalization;
using UniFace.Gallery;
using UniFace.Packages;

namespace UniFace.Cli.Commands;

/// <summary>
/// Enrolled faces that are enrolled under another name, too, at the strictest false match rate that the model's calibration supports; none without a
/// calibration.
/// </summary>
internal sealed class LookAlikes(IStoredGallery gallery, Calibration? calibration)
{
    private readonly double? threshold = calibration?.Entries.Where(e => e is { Supported: true, Threshold: not null }).MinBy(e => e.FalseMatchRate)?.Threshold;
    private readonly HashSet<(string, string)> pairs = [];
    private readonly List<(string Photo, string Person, GalleryCandidate Other)> found = [];

    /// <summary>What was found, one for each two people, for a JSON document.</summary>
    public IEnumerable<object> Entries => found.Select(f => new { photo = f.Photo, person = f.Person, other = f.Other.Person, score = f.Other.Score });

    /// <summary>Looks for templates that were enrolled just now under other names.</summary>
    public async Task FindAsync(IReadOnlyList<Enrolment> enrolled, CancellationToken stop)
    {
        if (threshold is not double least || enrolled.Count == 0)
        {
            return;
        }

        float[] probes = [.. enrolled.SelectMany(e => e.Embedding.ToArray())]; // [N, D]
        IReadOnlyList<IReadOnlyList<GalleryCandidate>> alike = await gallery.SearchAsync(probes, gallery.Info.ContractId, 2, stop).ConfigureAwait(false);
        foreach ((Enrolment enrolment, IReadOnlyList<GalleryCandidate> candidates) in enrolled.Zip(alike))
        {
            foreach (GalleryCandidate other in candidates.Where(c => c.Person != enrolment.Person && c.Score >= least))
            {
                if (pairs.Add(string.CompareOrdinal(enrolment.Person, other.Person) < 0 ? (enrolment.Person, other.Person) : (other.Person, enrolment.Person)))
                {
                    found.Add((enrolment.Source ?? "", enrolment.Person, other));
                }
            }
        }
    }

    private string Why(GalleryCandidate other) => string.Create(
        CultureInfo.InvariantCulture,
        $"(score {other.Score:F4}, which two different people reach in {calibration!.DescribeRateAt(other.Score)} comparisons)");

    /// <summary>Says what was found, on standard error.</summary>
    public void Warn()
    {
        foreach ((string photo, string person, GalleryCandidate other) in found)
        {
            Console.Error.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"warning: {Output.Name(photo)} is enrolled as {Output.Name(person)}, but the face is enrolled as {Output.Name(other.Person)}, too {Why(other)}"));
        }
    }
}
