namespace UniFace.Data;

/// <summary>
/// Turns the paths of pictures into people and samples, for folders and tars alike. The layout is PERSON/PICTURE;
/// folders that all pictures share above that (a tar of "lfw/") are dropped. A layout in which it is not plain
/// which folder is the person is refused, because a guess would train on wrong labels.
/// </summary>
internal sealed class PersonLayout
{
    private static readonly HashSet<string> PictureExtensions = new(StringComparer.OrdinalIgnoreCase) { ".jpg", ".jpeg", ".png", ".webp", ".bmp" };

    private PersonLayout(IReadOnlyList<string> people, IReadOnlyList<FaceSample> samples, int[] sources, IReadOnlyList<string> warnings)
    {
        People = people;
        Samples = samples;
        Sources = sources;
        Warnings = warnings;
    }

    /// <summary>Folder names, in ordinal order.</summary>
    public IReadOnlyList<string> People { get; }

    /// <summary>Pictures, by person, then name, in ordinal order.</summary>
    public IReadOnlyList<FaceSample> Samples { get; }

    /// <summary>For every sample, the index of its path in what was given.</summary>
    public int[] Sources { get; }

    /// <summary>What was left out, in words.</summary>
    public IReadOnlyList<string> Warnings { get; }

    /// <summary>Whether a path ('/' between its parts) names a picture; hidden files and folders, and contact sheets, do not.</summary>
    public static bool IsPicture(string path)
    {
        if (!PictureExtensions.Contains(Path.GetExtension(path)) || Path.GetFileName(path) == FaceDatasets.ContactSheet)
        {
            return false;
        }

        foreach (string part in path.Split('/'))
        {
            if (part.StartsWith('.') || part is "__MACOSX" or "@eaDir")
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>People and samples of picture paths.</summary>
    /// <param name="source">The set, for errors.</param>
    /// <param name="paths">Paths of pictures ('/' between parts), each passing <see cref="IsPicture"/>, relative to the set.</param>
    public static PersonLayout Of(string source, IReadOnlyList<string> paths)
    {
        string[][] parts = [.. paths.Select(path => path.Split('/'))];
        int skip = 0;
        while (parts.Length > 0 && parts.All(p => p.Length > skip + 1 && p[skip] == parts[0][skip]) && parts.Any(p => p.Length > skip + 2))
        {
            skip++;
        }

        string? deep = parts.Where(p => p.Length > skip + 2).Select(p => string.Join('/', p)).Order(StringComparer.Ordinal).FirstOrDefault();
        if (deep is not null)
        {
            throw new UniFaceException($"{source}: {deep} lies deeper than PERSON/PICTURE, so it is not plain which folder is the person; {FaceDatasets.Expected}.");
        }

        int[] order = [.. Enumerable.Range(0, parts.Length).Where(i => parts[i].Length == skip + 2)];
        int loose = parts.Length - order.Length;
        if (order.Length == 0)
        {
            throw new UniFaceException(loose > 0
                ? $"{source} has {Plural.Of(loose, "picture")} but no folder a person; {FaceDatasets.Expected}."
                : $"{source} holds no pictures (jpg, jpeg, png, webp, bmp); {FaceDatasets.Expected}.");
        }

        Array.Sort(order, (a, b) =>
        {
            int person = string.CompareOrdinal(parts[a][skip], parts[b][skip]);
            return person != 0 ? person : string.CompareOrdinal(parts[a][skip + 1], parts[b][skip + 1]);
        });
        List<string> people = [];
        FaceSample[] samples = new FaceSample[order.Length];
        for (int i = 0; i < order.Length; i++)
        {
            string person = parts[order[i]][skip];
            if (people.Count == 0 || people[^1] != person)
            {
                people.Add(person);
            }

            samples[i] = new FaceSample($"{person}/{parts[order[i]][skip + 1]}", people.Count - 1);
        }

        IReadOnlyList<string> warnings = loose == 0 ? [] : [$"{Plural.Of(loose, "picture")} beside the people's folders: not used"];
        return new PersonLayout(people, samples, order, warnings);
    }
}
