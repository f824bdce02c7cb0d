namespace UniFace.Data;

/// <summary>
/// Some people of a data set with some of their images. People keep their names and order and get new labels. Does not take ownership of the data set.
/// </summary>
internal sealed class DatasetSubset : FaceDataset
{
    private readonly FaceDataset inner;
    private readonly int[] sources;
    private readonly int[] ordered; // the people's labels in the whole set

    private DatasetSubset(FaceDataset inner, int[] people, int[] samples)
    {
        this.inner = inner;
        sources = samples;
        Array.Sort(sources);
        ordered = [.. people.Order()];
        Source = inner.Source;
        People = [.. ordered.Select(person => inner.People[person])];
        int[] labels = new int[inner.People.Count]; // by the label in the whole set
        foreach ((int label, int person) in ordered.Index())
        {
            labels[person] = label;
        }

        Samples = new SampleList(sources.Length, i => labels[inner.LabelOf(sources[i])], i => inner.Samples[sources[i]].Name);
        Warnings = inner.Warnings;
    }

    /// <summary>Skips people with too few images, and limits the images per person.</summary>
    /// <param name="data">The whole set.</param>
    /// <param name="minImages">People with fewer images are skipped; 0 or 1 keeps all who have an image.</param>
    /// <param name="maxImages">For people with more images, this many are drawn at random; null keeps all.</param>
    /// <param name="seed">Seed of the draw.</param>
    /// <exception cref="UniFaceException">The limits contradict each other, or no person is left.</exception>
    public static DatasetSubset LimitImages(FaceDataset data, int minImages, int? maxImages, long seed)
    {
        int least = Math.Max(minImages, 1);
        if (minImages < 0 || maxImages < least)
        {
            throw new UniFaceException(
                $"at least {minImages} and at most {maxImages} images per person were requested; " +
                "expected 0 <= minimum <= maximum and a maximum of at least 1");
        }

        int[][] byPerson = data.SamplesByPerson();
        int[] people = [.. Enumerable.Range(0, byPerson.Length).Where(person => byPerson[person].Length >= least)];
        if (people.Length == 0)
        {
            throw new UniFaceException(
                $"{data.Source}: no person has {minImages} images or more; " +
                $"lower the minimum (the most that one person has is {byPerson.Max(samples => samples.Length)})");
        }

        foreach (int person in people.Where(person => byPerson[person].Length > maxImages))
        {
            new SeededRandom(seed, RandomStream.ImageLimit, person).Shuffle<int>(byPerson[person]);
        }

        int[] samples = [.. people.SelectMany(person => byPerson[person].Take(maxImages ?? int.MaxValue))];
        string dropped = $"{Plural.Format(data.People.Count - people.Length, "person")} and {Plural.Format(data.Samples.Count - samples.Length, "image")}";
        return new DatasetSubset(data, people, samples)
        {
            Warnings = samples.Length == data.Samples.Count
                ? data.Warnings
                : [.. data.Warnings, $"{dropped} are skipped because of the limits of images per person"],
        };
    }

    /// <summary>
    /// Splits a set into people to train on and people held out, chosen by the seed. Only people with at least two images are held out,
    /// because the others form no mated pair.
    /// </summary>
    /// <param name="data">The whole set.</param>
    /// <param name="share">Share of the people to hold out; 0 for none.</param>
    /// <param name="seed">Seed of the choice.</param>
    /// <exception cref="UniFaceException">Too few people have two images, or fewer than two are left to train on.</exception>
    public static (FaceDataset Training, FaceDataset? HeldOut) HoldOut(FaceDataset data, double share, long seed)
    {
        if (share <= 0)
        {
            return (data, null);
        }

        int[][] byPerson = data.SamplesByPerson();
        int[] candidates = PeopleWithPairs(byPerson, seed);
        int count = Math.Max(2, (int)Math.Round(share * byPerson.Length));
        if (candidates.Length < count || byPerson.Length - count < 2)
        {
            throw new UniFaceException(
                $"{data.Source}: {count} of {byPerson.Length} people cannot be held out: {candidates.Length} have at least two images, and two " +
                $"people must be left to train on; hold out a smaller share");
        }

        return Divide(data, byPerson, candidates[..count]);
    }

    /// <summary>
    /// Splits a set for cross-validation: over all folds, every person with at least two images is held out once.
    /// </summary>
    /// <param name="data">The whole set.</param>
    /// <param name="fold">The fold to hold out, from 1.</param>
    /// <param name="folds">Number of folds.</param>
    /// <param name="seed">Seed of the folds.</param>
    /// <exception cref="UniFaceException">There are fewer than two people with two images per fold.</exception>
    public static (FaceDataset Training, FaceDataset HeldOut) HoldOutFold(FaceDataset data, int fold, int folds, long seed)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(folds, 2);
        ArgumentOutOfRangeException.ThrowIfLessThan(fold, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(fold, folds);
        int[][] byPerson = data.SamplesByPerson();
        int[] candidates = PeopleWithPairs(byPerson, seed);
        if (candidates.Length < 2 * folds)
        {
            throw new UniFaceException(
                $"{data.Source}: {candidates.Length} people have at least two images, too few for {folds} folds of two people or more; use fewer folds.");
        }

        return Divide(data, byPerson, [.. candidates.Where((_, i) => i % folds == fold - 1)]);
    }

    /// <summary>Selects people by name.</summary>
    /// <param name="data">The whole set.</param>
    /// <param name="names">The names of the people.</param>
    /// <exception cref="UniFaceException">The set lacks one of the people.</exception>
    public static DatasetSubset SelectPeople(FaceDataset data, IReadOnlyCollection<string> names)
    {
        int[] people = [.. Enumerable.Range(0, data.People.Count).Where(person => names.Contains(data.People[person]))];
        if (people.Length < names.Count)
        {
            throw new UniFaceException(
                $"{data.Source} has only {people.Length} of the {names.Count} people wanted; {names.Except(data.People).First()} is missing");
        }

        return Select(data, people, data.SamplesByPerson());
    }

    /// <inheritdoc/>
    public override byte[] Read(int index) => inner.Read(sources[index]);

    /// <inheritdoc/>
    public override long SizeOf(int index) => inner.SizeOf(sources[index]);

    /// <inheritdoc/>
    public override string NameOf(int label) => inner.NameOf(ordered[label]);

    /// <inheritdoc/>
    internal override int PartOf(int index) => inner.PartOf(sources[index]);

    /// <inheritdoc/>
    internal override int WholeIndexOf(int index) => inner.WholeIndexOf(sources[index]);

    /// <summary>The people with at least two images, in an order of the seed.</summary>
    private static int[] PeopleWithPairs(int[][] byPerson, long seed)
    {
        int[] people = [.. Enumerable.Range(0, byPerson.Length).Where(person => byPerson[person].Length >= 2)];
        new SeededRandom(seed, RandomStream.HeldOutPeople).Shuffle<int>(people);
        return people;
    }

    private static (DatasetSubset Training, DatasetSubset HeldOut) Divide(FaceDataset data, int[][] byPerson, int[] heldOut) =>
        (Select(data, [.. Enumerable.Range(0, byPerson.Length).Except(heldOut)], byPerson), Select(data, heldOut, byPerson));

    private static DatasetSubset Select(FaceDataset data, int[] people, int[][] byPerson) =>
        new(data, people, [.. people.SelectMany(person => byPerson[person])]);
}
