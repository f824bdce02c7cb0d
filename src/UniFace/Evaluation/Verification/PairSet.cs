using UniFace.Data.Pairs;

namespace UniFace.Evaluation.Verification;

/// <summary>A comparison of a pair set.</summary>
/// <param name="First">Index of the first image in <see cref="PairSet.Images"/>.</param>
/// <param name="Second">Index of the second image.</param>
/// <param name="Same">Whether both show one person.</param>
/// <param name="Fold">Fold, from 0.</param>
internal readonly record struct PairOfImages(int First, int Second, bool Same, int Fold);

/// <summary>
/// Pairs to score and the images that they name: an LFW pairs file or a list of paths with its images, or an InsightFace .bin.
/// </summary>
internal sealed class PairSet
{
    private const int ListFolds = 10;

    private readonly Func<int, ReadOnlyMemory<byte>?> read;

    private PairSet(
        string name, IReadOnlyList<string> images, IReadOnlyList<PairOfImages> pairs, int[]? people, int absent, Func<int, ReadOnlyMemory<byte>?> read)
    {
        Name = name;
        Images = images;
        Pairs = pairs;
        People = people;
        Absent = absent;
        this.read = read;
    }

    /// <summary>The name of its file.</summary>
    public string Name { get; }

    /// <summary>Names of the images, each once.</summary>
    public IReadOnlyList<string> Images { get; }

    /// <summary>The pairs, in the file's order.</summary>
    public IReadOnlyList<PairOfImages> Pairs { get; }

    /// <summary>Index of each image's person; null if people are unknown.</summary>
    public IReadOnlyList<int>? People { get; }

    /// <summary>Images that pairs name and the data does not have.</summary>
    public int Absent { get; }

    /// <summary>
    /// Pairs of an LFW pairs file over the images of a data set, found by their last two path parts without extension ("Ann/Ann_0001"). A file
    /// with one fold is distributed over ten.
    /// </summary>
    /// <param name="name">Name of the set.</param>
    /// <param name="pairs">The pairs file.</param>
    /// <param name="images">The images; must stay open as long as the set.</param>
    /// <param name="absentIsMissing">
    /// True: an absent image counts as one without a face (in a set of aligned crops, the aligner found none). False: it is an error. If more
    /// than half are absent, it is an error in any case.
    /// </param>
    /// <exception cref="UniFaceException">Images are absent; the message gives their number and the first.</exception>
    public static PairSet FromLfw(string name, LfwPairs pairs, FaceDataset images, bool absentIsMissing = false)
    {
        Dictionary<string, int> samples = [];
        foreach ((int i, FaceSample sample) in images.Samples.Index())
        {
            samples.TryAdd(GetKey(sample.Name), i);
        }

        return Build(
            name,
            [.. pairs.Pairs.Select((pair, i) =>
                (pair.FirstPath, pair.SecondPath, pair.FirstPerson, pair.SecondPerson, pair.Same, pairs.Folds > 1 ? pair.Fold : i % ListFolds))],
            path => samples.GetValueOrDefault(path, -1),
            [.. images.Samples.Select(sample => sample.Name)],
            images.Read,
            absentIsMissing,
            peopleKnown: true,
            absent => $"{images.Source} lacks {absent}.jpg; expected a folder or tar of NAME/NAME_0001.jpg");
    }

    /// <summary>
    /// Pairs of a list of paths over images at any depth, in ten folds. A path is an image's name, with or without its extension, or ends with
    /// it; the same number of leading folders is skipped for all paths. An image's person is its folder, if folders and answers agree in
    /// every pair; otherwise people are unknown.
    /// </summary>
    /// <param name="name">Name of the set.</param>
    /// <param name="pairs">The list.</param>
    /// <param name="images">The images; must stay open as long as the set.</param>
    /// <param name="absentIsMissing">As in <see cref="FromLfw"/>.</param>
    /// <exception cref="UniFaceException">Images are absent, or there are fewer than ten pairs.</exception>
    public static PairSet FromPaths(string name, PathPairs pairs, PhotoSet images, bool absentIsMissing = false)
    {
        RequireFolds(name, pairs.Pairs.Count);
        Dictionary<string, int> byName = images.Names.Index().ToDictionary(image => image.Item, image => image.Index);
        foreach ((int i, string image) in images.Names.Index())
        {
            byName.TryAdd(WithoutExtension(image), i);
        }

        string[] first = Clean(pairs.Pairs[0].First).Split('/');
        int above = Math.Max(Array.FindIndex([.. first.Select((_, skip) => Find(string.Join('/', first[skip..])))], found => found >= 0), 0);
        bool folders = pairs.Pairs.All(pair => Folder(pair.First).Length > 0 && Folder(pair.Second).Length > 0
            && pair.Same == (Folder(pair.First) == Folder(pair.Second)));
        return Build(
            name,
            [.. pairs.Pairs.Select((pair, i) => (pair.First, pair.Second, Folder(pair.First), Folder(pair.Second), pair.Same, i % ListFolds))],
            path => Find(string.Join('/', Clean(path).Split('/').Skip(above))),
            images.Names,
            images.Read,
            absentIsMissing,
            peopleKnown: folders,
            absent => $"{images.Source} lacks {absent}; expected the images at the paths of the list");

        int Find(string path) => byName.TryGetValue(path, out int exact) ? exact : byName.GetValueOrDefault(WithoutExtension(path), -1);

        static string Clean(string path) => path.Replace('\\', '/').TrimStart('.', '/');

        static string Folder(string path) => Path.GetDirectoryName(Clean(path)) ?? "";

        static string WithoutExtension(string path) => path[..^Path.GetExtension(path).Length];
    }

    /// <summary>Pairs of an InsightFace .bin, in ten contiguous folds. An image in several pairs is listed once.</summary>
    /// <exception cref="UniFaceException">There are fewer than ten pairs.</exception>
    public static PairSet FromBin(string name, PairBin bin)
    {
        int count = bin.Same.Count;
        RequireFolds(name, count);
        List<int> sources = [];
        Dictionary<string, int> indices = [];
        int[] index = new int[bin.Images.Count];
        for (int i = 0; i < index.Length; i++)
        {
            string hash = Sha256.HashBytes(bin.Images[i].Span);
            if (!indices.TryGetValue(hash, out index[i]))
            {
                indices.Add(hash, index[i] = sources.Count);
                sources.Add(i);
            }
        }

        int[] folds = VerificationScores.ContiguousFolds(count, ListFolds);
        PairOfImages[] list = [.. bin.Same.Select((same, i) => new PairOfImages(index[2 * i], index[2 * i + 1], same, folds[i]))];
        return new PairSet(name, [.. sources.Select(i => $"{name}:{i}")], list, null, 0, i => bin.Images[sources[i]]);
    }

    /// <summary>The encoded bytes of an image; null if the data does not have it. Thread-safe.</summary>
    /// <param name="image">Index into <see cref="Images"/>.</param>
    public ReadOnlyMemory<byte>? Read(int image) => read(image);

    /// <summary>Scores the pairs.</summary>
    /// <param name="embedded">Embeddings of <see cref="Images"/>, in their order.</param>
    public VerificationScores Score(EmbeddedFaces embedded)
    {
        if (embedded.Count != Images.Count)
        {
            throw new ArgumentException($"{embedded.Count} embeddings given for {Images.Count} images.", nameof(embedded));
        }

        bool[] missing = [.. Pairs.Select(p => !embedded.Found[p.First] || !embedded.Found[p.Second])];
        return new VerificationScores(
            [.. Pairs.Select((p, i) => missing[i] ? VerificationScores.MissingScore : embedded.Cosine(p.First, p.Second))],
            [.. Pairs.Select(p => p.Same)],
            [.. Pairs.Select(p => p.Fold)],
            missing,
            People is null ? null : [.. Pairs.Select(p => People[p.First])],
            People is null ? null : [.. Pairs.Select(p => People[p.Second])]);
    }

    private static PairSet Build(
        string name,
        IReadOnlyList<(string First, string Second, string FirstPerson, string SecondPerson, bool Same, int Fold)> pairs,
        Func<string, int> find,
        IReadOnlyList<string> names,
        Func<int, byte[]> read,
        bool absentIsMissing,
        bool peopleKnown,
        Func<string, string> lacks)
    {
        List<(string Path, int Source, int Person)> images = []; // Source: index of the image in the data, -1 if absent
        Dictionary<string, int> indices = [], people = [];
        PairOfImages[] list = [.. pairs.Select(p => new PairOfImages(Index(p.First, p.FirstPerson), Index(p.Second, p.SecondPerson), p.Same, p.Fold))];
        string[] absent = [.. images.Where(image => image.Source < 0).Select(image => image.Path)];
        if (absent.Length > 0 && (!absentIsMissing || 2 * absent.Length > images.Count))
        {
            throw new UniFaceException(lacks($"{absent.Length} of the {images.Count} images that {name} names, the first is {absent[0]}"));
        }

        return new PairSet(
            name,
            [.. images.Select(image => image.Source < 0 ? image.Path : names[image.Source])],
            list,
            peopleKnown ? [.. images.Select(image => image.Person)] : null,
            absent.Length,
            i => images[i].Source < 0 ? (ReadOnlyMemory<byte>?)null : read(images[i].Source));

        int Index(string path, string person)
        {
            if (!indices.TryGetValue(path, out int index))
            {
                _ = people.TryAdd(person, people.Count);
                indices.Add(path, index = images.Count);
                images.Add((path, find(path), people[person]));
            }

            return index;
        }
    }

    private static void RequireFolds(string name, int pairs)
    {
        if (pairs < ListFolds)
        {
            throw new UniFaceException($"{name} has {pairs} pairs, expected at least {ListFolds}, for {ListFolds} folds");
        }
    }

    private static string GetKey(string path)
    {
        string[] parts = path.Split('/');
        string file = Path.GetFileNameWithoutExtension(parts[^1]);
        return parts.Length > 1 ? parts[^2] + "/" + file : file;
    }
}
