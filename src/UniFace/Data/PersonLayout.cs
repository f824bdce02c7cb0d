namespace UniFace.Data;

/// <summary>
/// Turns the paths of images into people and samples, for folders and archives. The layout is PERSON/IMAGE, below folders that all images
/// share (a tar of "lfw/"), or PERSON is the folder at a given level. An ambiguous layout is refused, because a guess would give wrong
/// labels.
/// </summary>
/// <param name="People">Folder names, in ordinal order.</param>
/// <param name="Samples">Images, by person, then name, in ordinal order.</param>
/// <param name="Sources">For every sample, the index of its path.</param>
/// <param name="Shared">The folder above the people, relative to the set; "" for the set itself.</param>
/// <param name="Warnings">What was skipped or assumed.</param>
internal sealed record PersonLayout(
    IReadOnlyList<string> People, IReadOnlyList<FaceSample> Samples, int[] Sources, string Shared, IReadOnlyList<string> Warnings)
{
    /// <summary>The people and samples of image paths.</summary>
    /// <param name="source">The set, for errors.</param>
    /// <param name="paths">Paths of images ('/' between parts), relative to the set.</param>
    /// <param name="level">Which folder of a path is the person, from 1; null: the one that holds the images, if that is unambiguous.</param>
    /// <param name="strict">Refuse what is otherwise a warning: folders above the people, and images beside their folders.</param>
    public static PersonLayout Resolve(string source, IReadOnlyList<string> paths, int? level = null, bool strict = false)
    {
        string[][] parts = [.. paths.Select(path => path.Split('/'))];
        int skip = level - 1 ?? 0;
        while (level is null && !strict && parts.Length > 0
            && parts.All(p => p.Length > skip + 1 && p[skip] == parts[0][skip]) && parts.Any(p => p.Length > skip + 2))
        {
            skip++;
        }

        string[]? deep = level is not null ? null : parts.Where(p => p.Length > skip + 2).MinBy(p => string.Join('/', p), StringComparer.Ordinal);
        if (deep is not null)
        {
            string levels = string.Join(", ", deep.SkipLast(1).Select((folder, i) => $"{i + 1} is {folder}"));
            throw new UniFaceException(
                $"{source}: {string.Join('/', deep)} lies deeper than PERSON/IMAGE, so it is ambiguous which folder is the person (level {levels}); " +
                $"give the person's level; {FaceDatasets.Expected}");
        }

        int[] order = [.. Enumerable.Range(0, parts.Length).Where(i => parts[i].Length >= skip + 2)];
        int loose = parts.Length - order.Length;
        if (order.Length == 0 || (loose > 0 && (strict || level is not null)))
        {
            string? first = loose == 0 ? null : paths[Enumerable.Range(0, parts.Length).First(i => parts[i].Length < skip + 2)];
            throw new UniFaceException(
                (order.Length > 0
                    ? $"{source}: cannot tell which person {first} belongs to: it lies beside the people's folders ({loose} such); move it into one of " +
                        "them, or elsewhere"
                : loose > 0
                    ? $"{source} has {Plural.Format(loose, "image")} but no folder per person{(level is null ? "" : $" at level {level}")} " +
                        $"(cannot tell which person {first} belongs to)"
                : $"{source} contains no images ({Faces.ImageFormat.Expected})") + $"; {FaceDatasets.Expected}");
        }

        Array.Sort(order, (a, b) =>
        {
            int person = string.CompareOrdinal(parts[a][skip], parts[b][skip]);
            return person != 0 ? person : string.CompareOrdinal(Rest(parts[a]), Rest(parts[b]));
        });
        List<string> people = [];
        int[] labels = new int[order.Length];
        string above = "";
        for (int i = 0; i < order.Length; i++)
        {
            string person = parts[order[i]][skip], folder = string.Join('/', parts[order[i]][..skip]);
            if (people.Count == 0 || people[^1] != person)
            {
                people.Add(person);
                above = folder;
            }
            else if (above != folder)
            {
                throw new UniFaceException(
                    $"{source}: {person} is a folder in {above} and in {folder}: one person or two? Rename one, or move the photos together");
            }

            labels[i] = people.Count - 1;
        }

        List<string> warnings = [];
        if (level is null && skip > 0)
        {
            warnings.Add($"the people are the folders in {above}");
        }

        if (loose > 0)
        {
            warnings.Add($"{Plural.Format(loose, "image")} beside the people's folders: not used");
        }

        return new PersonLayout(people, CreateSamples(paths, order, labels, skip), order, above, warnings);

        string Rest(string[] path) => string.Join('/', path[(skip + 1)..]);
    }

    /// <summary>The samples, which keep the paths and not the parts of them that the caller has made.</summary>
    private static SampleList CreateSamples(IReadOnlyList<string> paths, int[] order, int[] labels, int skip)
    {
        return new SampleList(labels.Length, i => labels[i], i => Below(paths[order[i]], skip));

        static string Below(string path, int folders)
        {
            int start = 0;
            for (; folders > 0; folders--)
            {
                start = path.IndexOf('/', start) + 1;
            }

            return path[start..];
        }
    }
}
