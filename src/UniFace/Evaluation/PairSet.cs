using UniFace.Data;
using UniFace.IO;

namespace UniFace.Evaluation;

/// <summary>A comparison of a pair set.</summary>
/// <param name="First">Index of the first picture in <see cref="PairSet.Images"/>.</param>
/// <param name="Second">Index of the second picture.</param>
/// <param name="Same">Whether both show one person.</param>
/// <param name="Fold">Fold, from 0.</param>
public readonly record struct PairOfImages(int First, int Second, bool Same, int Fold);

/// <summary>
/// Pairs to be scored and the pictures they name, each once: an LFW pairs file or a list of paths with its pictures, or an InsightFace .bin.
/// </summary>
public sealed class PairSet
{
    private const int FoldsOfList = 10;

    private readonly Func<int, ReadOnlyMemory<byte>?> read;

    private PairSet(string name, IReadOnlyList<string> images, IReadOnlyList<PairOfImages> pairs, int[]? people, int absent, Func<int, ReadOnlyMemory<byte>?> read)
    {
        Name = name;
        Images = images;
        Pairs = pairs;
        People = people;
        Absent = absent;
        this.read = read;
    }

    /// <summary>What the set is called: the name of its file.</summary>
    public string Name { get; }

    /// <summary>Names of the pictures.</summary>
    public IReadOnlyList<string> Images { get; }

    /// <summary>The pairs, in the file's order.</summary>
    public IReadOnlyList<PairOfImages> Pairs { get; }

    /// <summary>Index of each picture's person; null where people are not known.</summary>
    public IReadOnlyList<int>? People { get; }

    /// <summary>Pictures that pairs name and the data does not have.</summary>
    public int Absent { get; }

    /// <summary>
    /// Pairs of an LFW pairs file over the pictures of a data set, found by their last two path parts without extension
    /// ("Ann/Ann_0001"). A file of one fold is dealt into ten.
    /// </summary>
    /// <param name="name">What to call the set.</param>
    /// <param name="pairs">The pairs file.</param>
    /// <param name="images">The pictures; must stay open as long as the set.</param>
    /// <param name="absentIsMissing">
    /// True: a picture that is not there counts as one without a face (aligned crops: the aligner found none). False: it is an error.
    /// Where more than half are not there, it is an error in any case.
    /// </param>
    /// <exception cref="UniFaceException">Pictures are not there; says how many, and the first.</exception>
    public static PairSet FromLfw(string name, LfwPairs pairs, FaceDataset images, bool absentIsMissing = false)
    {
        ArgumentNullException.ThrowIfNull(pairs);
        ArgumentNullException.ThrowIfNull(images);
        Dictionary<string, int> samples = [];
        for (int i = 0; i < images.Samples.Count; i++)
        {
            samples.TryAdd(KeyOf(images.Samples[i].Name), i);
        }

        return Of(
            name,
            [.. pairs.Pairs.Select((pair, i) =>
                (pair.FirstPath, pair.SecondPath, pair.FirstPerson, pair.SecondPerson, pair.Same, pairs.Folds > 1 ? pair.Fold : i % FoldsOfList))],
            path => samples.GetValueOrDefault(path, -1),
            sample => images.Samples[sample].Name,
            images.Read,
            absentIsMissing,
            absent => $"{images.Source} lacks {absent}.jpg; expected a folder or tar of NAME/NAME_0001.jpg");
    }

    /// <summary>
    /// Pairs of a list of paths over pictures at any depth, in ten folds. A path is a picture's name, with or without its extension, or ends
    /// with it; how many leading folders are passed over is the same for all paths. A picture's person is its folder, where folders and
    /// answers agree in every pair; else people are not known.
    /// </summary>
    /// <param name="name">What to call the set.</param>
    /// <param name="pairs">The list.</param>
    /// <param name="images">The pictures; must stay open as long as the set.</param>
    /// <param name="absentIsMissing">As in <see cref="FromLfw"/>.</param>
    /// <exception cref="UniFaceException">Pictures are not there, or there are fewer than ten pairs.</exception>
    public static PairSet FromPaths(string name, PathPairs pairs, PhotoSet images, bool absentIsMissing = false)
    {
        ArgumentNullException.ThrowIfNull(pairs);
        ArgumentNullException.ThrowIfNull(images);
        RequireFolds(name, pairs.Pairs.Count);
        Dictionary<string, int> byName = new(StringComparer.Ordinal);
        for (int i = 0; i < images.Names.Count; i++)
        {
            byName.Add(images.Names[i], i);
        }

        for (int i = 0; i < images.Names.Count; i++)
        {
            byName.TryAdd(WithoutExtension(images.Names[i]), i);
        }

        string[] first = Clean(pairs.Pairs[0].First).Split('/');
        int above = Math.Max(Array.FindIndex([.. first.Select((_, skip) => Find(string.Join('/', first[skip..])))], found => found >= 0), 0);
        bool folders = pairs.Pairs.All(pair => Folder(pair.First).Length > 0 && Folder(pair.Second).Length > 0
            && pair.Same == (Folder(pair.First) == Folder(pair.Second)));
        PairSet set = Of(
            name,
            [.. pairs.Pairs.Select((pair, i) => (pair.First, pair.Second, Folder(pair.First), Folder(pair.Second), pair.Same, i % FoldsOfList))],
            path => Find(string.Join('/', Clean(path).Split('/').Skip(above))),
            picture => images.Names[picture],
            images.Read,
            absentIsMissing,
            absent => $"{images.Source} lacks {absent}; expected the pictures by the paths that the list says");
        return folders ? set : new PairSet(name, set.Images, set.Pairs, null, set.Absent, set.read);

        int Find(string path) => byName.TryGetValue(path, out int exact) ? exact : byName.GetValueOrDefault(WithoutExtension(path), -1);

        static string Clean(string path) => path.Replace('\\', '/').TrimStart('.', '/');

        static string Folder(string path) => Path.GetDirectoryName(Clean(path)) ?? "";

        static string WithoutExtension(string path) => path[..^Path.GetExtension(path).Length];
    }

    private static PairSet Of(
        string name,
        IReadOnlyList<(string First, string Second, string FirstPerson, string SecondPerson, bool Same, int Fold)> pairs,
        Func<string, int> find,
        Func<int, string> nameOf,
        Func<int, byte[]> read,
        bool absentIsMissing,
        Func<string, string> lacks)
    {
        List<string> names = [];
        List<int> sources = []; // index of each picture in the data, -1 where it is not there
        List<int> people = [];
        Dictionary<string, int> indices = [];
        Dictionary<string, int> persons = [];
        string? firstAbsent = null;
        int absent = 0;
        PairOfImages[] list = new PairOfImages[pairs.Count];
        for (int i = 0; i < list.Length; i++)
        {
            int first = Index(pairs[i].First, pairs[i].FirstPerson), second = Index(pairs[i].Second, pairs[i].SecondPerson);
            list[i] = new PairOfImages(first, second, pairs[i].Same, pairs[i].Fold);
        }

        if (absent > 0 && (!absentIsMissing || 2 * absent > names.Count))
        {
            throw new UniFaceException(lacks($"{absent} of the {names.Count} pictures that {name} names, the first is {firstAbsent}"));
        }

        return new PairSet(name, names, list, [.. people], absent, i => sources[i] < 0 ? (ReadOnlyMemory<byte>?)null : read(sources[i]));

        int Index(string path, string person)
        {
            if (indices.TryGetValue(path, out int index))
            {
                return index;
            }

            int source = find(path);
            if (source < 0)
            {
                absent++;
                firstAbsent ??= path;
            }

            if (!persons.TryGetValue(person, out int personIndex))
            {
                persons.Add(person, personIndex = persons.Count);
            }

            indices.Add(path, index = names.Count);
            names.Add(source < 0 ? path : nameOf(source));
            sources.Add(source);
            people.Add(personIndex);
            return index;
        }
    }

    private static void RequireFolds(string name, int pairs)
    {
        if (pairs < FoldsOfList)
        {
            throw new UniFaceException($"{name} holds {pairs} pairs, expected at least {FoldsOfList}, for {FoldsOfList} folds");
        }
    }

    /// <summary>Pairs of an InsightFace .bin, in ten folds of neighbours. A picture that stands in several pairs is one.</summary>
    /// <exception cref="UniFaceException">There are fewer than ten pairs.</exception>
    public static PairSet FromBin(string name, PairBin bin)
    {
        ArgumentNullException.ThrowIfNull(bin);
        int count = bin.Same.Count;
        RequireFolds(name, count);
        List<int> sources = [];
        Dictionary<string, int> indices = [];
        int[] index = new int[bin.Images.Count];
        for (int i = 0; i < index.Length; i++)
        {
            string hash = Sha256.OfBytes(bin.Images[i].Span);
            if (!indices.TryGetValue(hash, out index[i]))
            {
                indices.Add(hash, index[i] = sources.Count);
                sources.Add(i);
            }
        }

        // scikit-learn's KFold without shuffling: the first (count mod 10) folds are one larger.
        int large = count % FoldsOfList * (count / FoldsOfList + 1);
        PairOfImages[] list = new PairOfImages[count];
        for (int i = 0; i < count; i++)
        {
            int fold = i < large ? i / (count / FoldsOfList + 1) : count % FoldsOfList + (i - large) / (count / FoldsOfList);
            list[i] = new PairOfImages(index[2 * i], index[2 * i + 1], bin.Same[i], fold);
        }

        return new PairSet(name, [.. sources.Select(i => $"{name}:{i}")], list, null, 0, i => bin.Images[sources[i]]);
    }

    /// <summary>The encoded bytes of a picture; null where the data does not have it. Thread-safe.</summary>
    /// <param name="image">Index into <see cref="Images"/>.</param>
    public ReadOnlyMemory<byte>? Read(int image) => read(image);

    /// <summary>Scores the pairs.</summary>
    /// <param name="embedded">Embeddings of <see cref="Images"/>, in their order.</param>
    public VerificationScores Score(EmbeddedFaces embedded)
    {
        ArgumentNullException.ThrowIfNull(embedded);
        if (embedded.Count != Images.Count)
        {
            throw new ArgumentException($"{embedded.Count} embeddings given for {Images.Count} pictures.", nameof(embedded));
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

    private static string KeyOf(string path)
    {
        string[] parts = path.Split('/');
        string file = Path.GetFileNameWithoutExtension(parts[^1]);
        return parts.Length > 1 ? parts[^2] + "/" + file : file;
    }
}
