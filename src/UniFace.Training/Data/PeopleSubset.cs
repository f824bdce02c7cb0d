using UniFace.Data;

namespace UniFace.Training.Data;

/// <summary>Some of the people of a data set with all their images, renumbered in the order of the set, which stays the caller's.</summary>
internal sealed class PeopleSubset : FaceDataset
{
    private readonly FaceDataset inner;
    private readonly int[] sources;

    public PeopleSubset(FaceDataset inner, IReadOnlySet<int> people)
    {
        this.inner = inner;
        Dictionary<int, int> labels = [];
        List<string> names = [];
        foreach (int person in people.Order())
        {
            labels[person] = names.Count;
            names.Add(inner.People[person]);
        }

        People = names;
        sources = [.. Enumerable.Range(0, inner.Samples.Count).Where(i => labels.ContainsKey(inner.Samples[i].Label))];
        Samples = [.. sources.Select(i => inner.Samples[i] with { Label = labels[inner.Samples[i].Label] })];
    }

    public override string Source => inner.Source;

    public override IReadOnlyList<string> People { get; }

    public override IReadOnlyList<FaceSample> Samples { get; }

    public override IReadOnlyList<string> Warnings => inner.Warnings;

    public override byte[] Read(int index) => inner.Read(sources[index]);

    /// <summary>
    /// Splits a set into people to train on and people held out, chosen by the seed. Only people with at least two images are held out,
    /// because the others form no mated pair.
    /// </summary>
    public static (FaceDataset Training, FaceDataset? HeldOut) Split(FaceDataset data, double share, long seed)
    {
        if (share <= 0)
        {
            return (data, null);
        }

        int[] images = new int[data.People.Count];
        foreach (FaceSample sample in data.Samples)
        {
            images[sample.Label]++;
        }

        int[] candidates = [.. Enumerable.Range(0, images.Length).Where(p => images[p] >= 2)];
        int count = Math.Max(2, (int)Math.Round(share * data.People.Count));
        if (candidates.Length < count || data.People.Count - count < 2)
        {
            throw new UniFaceException(
                $"{data.Source}: {count} of {data.People.Count} people cannot be held out: {candidates.Length} have at least two images, and two " +
                $"people must be left to train on; hold out a smaller share.");
        }

        new SeededRandom(seed, RandomStream.HeldOutPeople).Shuffle<int>(candidates);
        HashSet<int> heldOut = [.. candidates.Take(count)];
        HashSet<int> rest = [.. Enumerable.Range(0, images.Length).Where(p => !heldOut.Contains(p))];
        return (new PeopleSubset(data, rest), new PeopleSubset(data, heldOut));
    }
}
