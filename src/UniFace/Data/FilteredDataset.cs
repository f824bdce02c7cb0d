namespace UniFace.Data;

/// <summary>
/// A data set without the people who have too few images, and with a limited number of images per person. People keep their names and
/// order and get new labels. The images of a person are chosen by the seed alone.
/// </summary>
public sealed class FilteredDataset : FaceDataset
{
    private readonly FaceDataset inner;
    private readonly int[] sources;

    /// <summary>A subset of a set, which it takes over and disposes.</summary>
    /// <param name="inner">The whole set.</param>
    /// <param name="minImages">People with fewer images are left out; 0 or 1 keeps all.</param>
    /// <param name="maxImages">For people with more images, this many are drawn at random; null keeps all.</param>
    /// <param name="seed">Seed of the draw.</param>
    /// <exception cref="UniFaceException">The limits contradict each other, or nobody is left.</exception>
    public FilteredDataset(FaceDataset inner, int minImages, int? maxImages, long seed)
    {
        int least = Math.Max(minImages, 1);
        if (minImages < 0 || maxImages < least)
        {
            throw new UniFaceException(
                $"at least {minImages} and at most {maxImages} images per person were asked for; " +
                "expected 0 <= minimum <= maximum and a maximum of at least 1.");
        }

        this.inner = inner;
        int[][] byPerson = inner.SamplesByPerson();
        int[] people = [.. Enumerable.Range(0, byPerson.Length).Where(person => byPerson[person].Length >= least)];
        if (people.Length == 0)
        {
            throw new UniFaceException(
                $"{inner.Source}: nobody has {minImages} pictures or more; " +
                $"lower the minimum (the most that one person has is {byPerson.Max(samples => samples.Length)}).");
        }

        int[] labels = new int[byPerson.Length];
        List<int> kept = [];
        foreach ((int label, int person) in people.Index())
        {
            labels[person] = label;
            if (byPerson[person].Length > maxImages)
            {
                new SeededRandom(seed, RandomStream.ImageLimit, person).Shuffle<int>(byPerson[person]);
            }

            kept.AddRange(byPerson[person].Take(maxImages ?? int.MaxValue));
        }

        kept.Sort();
        sources = [.. kept];
        People = [.. people.Select(person => inner.People[person])];
        Samples = [.. kept.Select(i => inner.Samples[i] with { Label = labels[inner.Samples[i].Label] })];
        string droppedPeople = Plural.Format(inner.People.Count - people.Length, "person");
        string droppedImages = Plural.Format(inner.Samples.Count - kept.Count, "image");
        Warnings = kept.Count == inner.Samples.Count
            ? inner.Warnings
            : [.. inner.Warnings, $"{droppedPeople} and {droppedImages} are left out by the limits of images per person"];
    }

    /// <inheritdoc/>
    public override string Source => inner.Source;

    /// <inheritdoc/>
    public override IReadOnlyList<string> People { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<FaceSample> Samples { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<string> Warnings { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<LeftOutFile> LeftOut => inner.LeftOut;

    /// <inheritdoc/>
    public override int IgnoredFiles => inner.IgnoredFiles;

    /// <inheritdoc/>
    public override byte[] Read(int index) => inner.Read(sources[index]);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            inner.Dispose();
        }

        base.Dispose(disposing);
    }
}
