namespace UniFace.Data;

/// <summary>Checks of a set's labels that are made before the first step of a training, when a mistake still costs nothing.</summary>
public static class FaceDatasetCheck
{
    /// <summary>Throws where no training can be right; returns what may be meant.</summary>
    /// <param name="dataset">The set to train on.</param>
    /// <returns>Sentences to show: the set's own warnings, and people with one picture.</returns>
    /// <exception cref="UniFaceException">There are fewer than two people, a label is out of range, or a person has no picture or shares a name.</exception>
    public static IReadOnlyList<string> Require(FaceDataset dataset)
    {
        ArgumentNullException.ThrowIfNull(dataset);
        int[][] byPerson = dataset.SamplesByPerson();
        if (dataset.People.Count < 2)
        {
            throw new UniFaceException($"{dataset.Source} has {Plural.Of(dataset.People.Count, "person")}; recognition is learned from two at least. {char.ToUpperInvariant(FaceDatasets.Expected[0])}{FaceDatasets.Expected[1..]}.");
        }

        string? twice = dataset.People.GroupBy(name => name, StringComparer.Ordinal).FirstOrDefault(group => group.Count() > 1)?.Key;
        if (twice is not null)
        {
            throw new UniFaceException($"{dataset.Source}: two people are named {twice}; expected a name for each.");
        }

        string[] empty = [.. byPerson.Index().Where(person => person.Item.Length == 0).Select(person => dataset.People[person.Index])];
        if (empty.Length > 0)
        {
            throw new UniFaceException($"{dataset.Source}: {Plural.Of(empty.Length, "person has", "people have")} no picture ({string.Join(", ", empty.Take(5))}{(empty.Length > 5 ? " ..." : "")}); give them some, or leave them out with --min-images 1.");
        }

        int single = byPerson.Count(samples => samples.Length == 1);
        return single == 0 ? dataset.Warnings : [.. dataset.Warnings, $"{Plural.Of(single, "person has", "people have")} one picture only, which teaches nothing about how a face varies; --min-images 2 leaves them out"];
    }

    /// <summary>For every person, the indices of their samples in the set's order.</summary>
    /// <exception cref="UniFaceException">A label is out of range; names the picture.</exception>
    public static int[][] SamplesByPerson(this FaceDataset dataset)
    {
        ArgumentNullException.ThrowIfNull(dataset);
        int[] counts = new int[dataset.People.Count];
        foreach (FaceSample sample in dataset.Samples)
        {
            if ((uint)sample.Label >= (uint)counts.Length)
            {
                throw new UniFaceException($"{dataset.Source}: {sample.Name} has the label {sample.Label}, expected 0 to {counts.Length - 1}.");
            }

            counts[sample.Label]++;
        }

        int[][] byPerson = [.. counts.Select(count => new int[count])];
        Array.Clear(counts);
        for (int i = 0; i < dataset.Samples.Count; i++)
        {
            int label = dataset.Samples[i].Label;
            byPerson[label][counts[label]++] = i;
        }

        return byPerson;
    }
}
