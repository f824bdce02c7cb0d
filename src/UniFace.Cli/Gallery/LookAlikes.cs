namespace UniFace.Cli.Gallery;

/// <summary>Reports newly enrolled faces that are also enrolled under another name, by <see cref="LookAlikeRule"/>; none without a calibration.</summary>
internal sealed class LookAlikes(StoredGallery gallery, Calibration? calibration)
{
    private readonly LookAlikeRule? rule = LookAlikeRule.Create(calibration);
    private readonly HashSet<(string, string)> pairs = [];
    private readonly List<(string Photo, string Person, GalleryCandidate Other)> found = [];

    /// <summary>What was found, one entry per two people, for JSON.</summary>
    public IEnumerable<object> Entries => found.Select(f => new { f.Photo, f.Person, other = f.Other.Person, f.Other.Score });

    /// <summary>Searches for newly enrolled templates under other names.</summary>
    public async Task FindAsync(IReadOnlyList<Enrollment> enrolled, CancellationToken stop)
    {
        if (rule is null || enrolled.Count == 0)
        {
            return;
        }

        float[] probes = [.. enrolled.SelectMany(e => e.Embedding.ToArray())]; // [N, D]
        IReadOnlyList<IReadOnlyList<GalleryCandidate>> alike =
            await gallery.SearchAsync(probes, gallery.Info.ContractId, LookAlikeRule.Candidates, stop);
        foreach ((Enrollment enrollment, IReadOnlyList<GalleryCandidate> candidates) in enrolled.Zip(alike))
        {
            foreach (GalleryCandidate other in rule.Filter(enrollment.Person, candidates))
            {
                (string a, string b) = (enrollment.Person, other.Person);
                if (pairs.Add(string.CompareOrdinal(a, b) < 0 ? (a, b) : (b, a)))
                {
                    found.Add((enrollment.Source ?? "", enrollment.Person, other));
                }
            }
        }
    }

    /// <summary>Prints what was found on standard error.</summary>
    public void Warn()
    {
        foreach ((string photo, string person, GalleryCandidate other) in found)
        {
            string chance = calibration!.DescribeRateAt(other.Score);
            Console.Error.WriteLine(
                $"warning: {Output.Name(photo)} is enrolled as {Output.Name(person)}, but the face is enrolled as {Output.Name(other.Person)}, too " +
                $"(score {other.Score:F4}, which two different people reach in {chance} comparisons)");
        }
    }
}
