using UniFace.Data;

namespace UniFace.Training;

/// <summary>Some of the people of a data set with all their pictures, numbered anew in the set's order. The set stays the caller's.</summary>
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
    /// Splits a set into people to train on and people held out; who is decided by the seed.
    /// Only people with two pictures or more are held out: others make no pair of one person.
    /// </summary>
    public static (FaceDataset Training, FaceDataset? HeldOut) Split(FaceDataset data, double share, long seed)
    {
        if (share <= 0)
        {
            return (data, null);
        }

        int[] pictures = new int[data.People.Count];
        foreach (FaceSample sample in data.Samples)
        {
            pictures[sample.Label]++;
        }

        int[] candidates = [.. Enumerable.Range(0, pictures.Length).Where(p => pictures[p] >= 2)];
        int count = Math.Max(2, (int)Math.Round(share * data.People.Count));
        if (candidates.Length < count || data.People.Count - count < 2)
        {
            throw new UniFaceException(FormattableString.Invariant(
                $"{data.Source}: {count} of {data.People.Count} people cannot be held out: {candidates.Length} have two pictures or more, and two must be left to train on; lower --val-people."));
        }

        new SeededRandom(seed, RandomStream.HeldOutPeople).Shuffle<int>(candidates);
        HashSet<int> heldOut = [.. candidates.Take(count)];
        HashSet<int> rest = [.. Enumerable.Range(0, pictures.Length).Where(p => !heldOut.Contains(p))];
        return (new PeopleSubset(data, rest), new PeopleSubset(data, heldOut));
    }
}
