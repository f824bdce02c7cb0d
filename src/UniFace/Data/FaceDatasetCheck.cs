namespace UniFace.Data;

/// <summary>Checks of a set's labels before training.</summary>
internal static class FaceDatasetCheck
{
    /// <summary>Throws if the set cannot be trained on, and returns warnings if it can.</summary>
    /// <param name="dataset">The set to train on.</param>
    /// <returns>Warnings to show: the set's own, and people with one image.</returns>
    /// <exception cref="UniFaceException">There are fewer than two people, a label is out of range, or a person has no image or shares a name.</exception>
    public static IReadOnlyList<string> Require(FaceDataset dataset)
    {
        int[][] byPerson = dataset.SamplesByPerson();
        if (dataset.People.Count < 2)
        {
            throw new UniFaceException(
                $"{dataset.Source} has {Plural.Format(dataset.People.Count, "person")}, training needs at least two; {FaceDatasets.Expected}");
        }

        if (dataset.People.CountBy(name => name).FirstOrDefault(name => name.Value > 1).Key is string twice)
        {
            throw new UniFaceException($"{dataset.Source}: two people are named {twice}; expected a name for each");
        }

        string[] empty = [.. byPerson.Index().Where(person => person.Item.Length == 0).Select(person => dataset.People[person.Index])];
        if (empty.Length > 0)
        {
            string names = string.Join(", ", empty.Take(5)) + (empty.Length > 5 ? " ..." : "");
            throw new UniFaceException(
                $"{dataset.Source}: {Plural.Format(empty.Length, "person has", "people have")} no image ({names}); " +
                "add some, or require at least 1 image per person");
        }

        int single = byPerson.Count(samples => samples.Length == 1);
        return single == 0 ? dataset.Warnings :
        [
            .. dataset.Warnings,
            $"{Plural.Format(single, "person has", "people have")} only one image, which adds no mated pair; " +
                "require at least 2 images per person to skip them",
        ];
    }

    /// <summary>For every person, the indices of their samples in the set's order.</summary>
    /// <exception cref="UniFaceException">A label is out of range; names the image.</exception>
    public static int[][] SamplesByPerson(this FaceDataset dataset)
    {
        List<int>[] byPerson = [.. dataset.People.Select(_ => new List<int>())];
        foreach ((int i, FaceSample sample) in dataset.Samples.Index())
        {
            if ((uint)sample.Label >= (uint)byPerson.Length)
            {
                throw new UniFaceException(
                    $"{dataset.Source}: {sample.Name} has the label {sample.Label}, expected 0 to {byPerson.Length - 1}");
            }

            byPerson[sample.Label].Add(i);
        }

        return [.. byPerson.Select(samples => samples.ToArray())];
    }
}
