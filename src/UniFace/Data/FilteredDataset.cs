namespace UniFace.Data;

/// <summary>
/// A data set without the people who have too few pictures and without the pictures that one has too many of. People keep their names
/// and order and are numbered anew. Which pictures of a person stay depends on the seed alone.
/// </summary>
public sealed class FilteredDataset : FaceDataset
{
    private readonly FaceDataset inner;
    private readonly int[] sources;

    /// <summary>A subset of a set, which it takes over and disposes.</summary>
    /// <param name="inner">The whole set.</param>
    /// <param name="minImages">A person with fewer pictures is left out; 0 or 1 keeps all.</param>
    /// <param name="maxImages">Of a person with more, this many are kept, drawn at random; null keeps all.</param>
    /// <param name="seed">Seed of the draw.</param>
    /// <exception cref="UniFaceException">The limits contradict each other, or nobody is left.</exception>
    public FilteredDataset(FaceDataset inner, int minImages, int? maxImages, long seed)
    {
        ArgumentNullException.ThrowIfNull(inner);
        if (minImages < 0 || maxImages < Math.Max(minImages, 1))
        {
            throw new UniFaceException($"at least {minImages} and at most {maxImages} images a person were asked for; expected 0 <= minimum <= maximum and a maximum of at least 1.");
        }

        this.inner = inner;
        int[][] byPerson = inner.SamplesByPerson();
        List<string> people = [];
        int[] labels = new int[byPerson.Length];
        List<int> kept = [];
        for (int person = 0; person < byPerson.Length; person++)
        {
            int[] samples = byPerson[person];
            labels[person] = people.Count;
            if (samples.Length < Math.Max(minImages, 1))
            {
                continue;
            }

            people.Add(inner.People[person]);
            if (samples.Length > maxImages)
            {
                new SeededRandom(seed, RandomStream.ImageLimit, person).Shuffle(samples);
                samples = samples[..maxImages.Value];
            }

            kept.AddRange(samples);
        }

        if (people.Count == 0)
        {
            throw new UniFaceException($"{inner.Source}: nobody has {minImages} pictures or more; lower --min-images (the most that one has is {byPerson.Max(samples => samples.Length)}).");
        }

        kept.Sort();
        sources = [.. kept];
        People = people;
        Samples = [.. kept.Select(i => inner.Samples[i] with { Label = labels[inner.Samples[i].Label] })];
        string left = $"{Plural.Of(inner.People.Count - people.Count, "person")} and {Plural.Of(inner.Samples.Count - kept.Count, "image")} are left out by the limits of images a person";
        Warnings = kept.Count == inner.Samples.Count ? inner.Warnings : [.. inner.Warnings, left];
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
