namespace UniFace.Data.Merging;

/// <summary>
/// Several sets as one. People of different sets are different people, also under one name. Names are the same wherever the sets lie: "2/Ann/1.jpg" is an
/// image of the second set, and a person whose name an earlier set has is "Ann (set 2)". Owns the sets.
/// </summary>
internal sealed class MergedDataset : FaceDataset
{
    private readonly FaceDataset[] parts;
    private readonly int[] firstSamples; // by part, and the number of all
    private readonly int[] firstLabels;

    private MergedDataset(FaceDataset[] parts)
        : base(new Owned(parts))
    {
        this.parts = parts;
        firstSamples = Starts(parts, part => part.Samples.Count, "images");
        firstLabels = Starts(parts, part => part.People.Count, "people");
        Source = string.Join(" + ", parts.Select(part => part.Source));
        HashSet<string> taken = [];
        People = [.. parts.Index().SelectMany(part => part.Item.People.Select(name => taken.Add(name) ? name : Another(name, part.Index + 1)))];
        Samples = new SampleList(firstSamples[^1], LabelOfSample, NameOfSample);
        Warnings = [.. parts.SelectMany(part => part.Warnings.Select(warning => $"{part.Source}: {warning}"))];
        Skipped = [.. parts.SelectMany(part => part.Skipped)];
        IgnoredFiles = parts.Sum(part => part.IgnoredFiles);

        string Another(string name, int set)
        {
            string other = $"{name} (set {set})";
            while (!taken.Add(other))
            {
                other += "'";
            }

            return other;
        }
    }

    /// <summary>One set as it is, several as one. Takes over the sets, and disposes them if they cannot be merged.</summary>
    /// <exception cref="UniFaceException">Together they have more images than an index can number.</exception>
    public static FaceDataset Merge(params IReadOnlyList<FaceDataset> sets)
    {
        try
        {
            return sets.Count == 1 ? sets[0] : new MergedDataset([.. sets]);
        }
        catch
        {
            new Owned(sets).Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public override byte[] Read(int index)
    {
        int part = PartOf(index);
        return parts[part].Read(index - firstSamples[part]);
    }

    /// <inheritdoc/>
    public override long SizeOf(int index)
    {
        int part = PartOf(index);
        return parts[part].SizeOf(index - firstSamples[part]);
    }

    /// <inheritdoc/>
    public override string NameOf(int label)
    {
        int part = PartOf(firstLabels, label);
        return parts[part].NameOf(label - firstLabels[part]);
    }

    /// <inheritdoc/>
    internal override int PartOf(int index) => PartOf(firstSamples, index);

    private static int PartOf(int[] starts, int index)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)starts[^1], nameof(index));
        int part = 0;
        while (index >= starts[part + 1])
        {
            part++;
        }

        return part;
    }

    private static int[] Starts(FaceDataset[] parts, Func<FaceDataset, int> count, string what)
    {
        long[] starts = new long[parts.Length + 1];
        for (int i = 0; i < parts.Length; i++)
        {
            starts[i + 1] = starts[i] + count(parts[i]);
        }

        return starts[^1] <= Array.MaxLength
            ? [.. starts.Select(start => (int)start)]
            : throw new UniFaceException($"the sets have {starts[^1]} {what} together; expected at most {Array.MaxLength}");
    }

    private int LabelOfSample(int index)
    {
        int part = PartOf(index);
        return firstLabels[part] + parts[part].LabelOf(index - firstSamples[part]);
    }

    private string NameOfSample(int index)
    {
        int part = PartOf(index);
        return $"{part + 1}/{parts[part].Samples[index - firstSamples[part]].Name}";
    }

    /// <summary>Disposes the sets.</summary>
    private sealed class Owned(IReadOnlyList<FaceDataset> sets) : IDisposable
    {
        public void Dispose()
        {
            foreach (FaceDataset set in sets)
            {
                set.Dispose();
            }
        }
    }
}
