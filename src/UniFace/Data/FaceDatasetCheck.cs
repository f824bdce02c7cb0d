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
        int[] counts = dataset.ImagesPerPerson();
        if (dataset.People.Count < 2)
        {
            throw new UniFaceException(
                $"{dataset.Source} has {Plural.Format(dataset.People.Count, "person")}, training needs at least two; {FaceDatasets.Expected}");
        }

        if (dataset.People.CountBy(name => name).FirstOrDefault(name => name.Value > 1).Key is string twice)
        {
            throw new UniFaceException($"{dataset.Source}: two people are named {twice}; expected a name for each");
        }

        string[] empty = [.. counts.Index().Where(person => person.Item == 0).Select(person => dataset.People[person.Index])];
        if (empty.Length > 0)
        {
            string names = string.Join(", ", empty.Take(5)) + (empty.Length > 5 ? " ..." : "");
            throw new UniFaceException(
                $"{dataset.Source}: {Plural.Format(empty.Length, "person has", "people have")} no image ({names}); " +
                "add some, or require at least 1 image per person");
        }

        int single = counts.Count(images => images == 1);
        return single == 0 ? dataset.Warnings :
        [
            .. dataset.Warnings,
            $"{Plural.Format(single, "person has", "people have")} only one image, which adds no mated pair; " +
                "require at least 2 images per person to skip them",
        ];
    }

    /// <summary>For every person, the number of their samples.</summary>
    /// <exception cref="UniFaceException">A label is out of range; names the image.</exception>
    public static int[] ImagesPerPerson(this FaceDataset dataset)
    {
        int[] counts = new int[dataset.People.Count];
        for (int i = 0; i < dataset.Samples.Count; i++)
        {
            int label = dataset.LabelOf(i);
            if ((uint)label >= (uint)counts.Length)
            {
                throw new UniFaceException(
                    $"{dataset.Source}: {dataset.Samples[i].Name} has the label {label}, expected 0 to {counts.Length - 1}");
            }

            counts[label]++;
        }

        return counts;
    }

    /// <summary>For every person, the indices of their samples in the set's order.</summary>
    /// <exception cref="UniFaceException">A label is out of range; names the image.</exception>
    public static int[][] SamplesByPerson(this FaceDataset dataset)
    {
        int[] left = dataset.ImagesPerPerson();
        int[][] byPerson = [.. left.Select(count => new int[count])];
        for (int i = 0; i < dataset.Samples.Count; i++)
        {
            int[] samples = byPerson[dataset.LabelOf(i)];
            samples[^left[dataset.LabelOf(i)]--] = i;
        }

        return byPerson;
    }
}
