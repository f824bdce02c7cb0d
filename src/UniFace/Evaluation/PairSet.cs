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
/// Pairs to be scored and the pictures they name, each once: an LFW pairs file with its pictures, or an InsightFace .bin.
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

        List<string> names = [];
        List<int> sources = []; // index of each picture in the data set, -1 where it is not there
        List<int> people = [];
        Dictionary<string, int> indices = [];
        Dictionary<string, int> persons = [];
        string? firstAbsent = null;
        int absent = 0;
        PairOfImages[] list = new PairOfImages[pairs.Pairs.Count];
        for (int i = 0; i < list.Length; i++)
        {
            LfwPair pair = pairs.Pairs[i];
            list[i] = new PairOfImages(Index(pair.FirstPath, pair.FirstPerson), Index(pair.SecondPath, pair.SecondPerson), pair.Same, pairs.Folds > 1 ? pair.Fold : i % FoldsOfList);
        }

        if (absent > 0 && (!absentIsMissing || 2 * absent > names.Count))
        {
            throw new UniFaceException($"{images.Source} lacks {absent} of the {names.Count} pictures that {name} names, the first is {firstAbsent}.jpg; expected a folder or tar of NAME/NAME_0001.jpg");
        }

        return new PairSet(name, names, list, [.. people], absent, i => sources[i] < 0 ? (ReadOnlyMemory<byte>?)null : images.Read(sources[i]));

        int Index(string path, string person)
        {
            if (indices.TryGetValue(path, out int index))
            {
                return index;
            }

            if (!samples.TryGetValue(path, out int source))
            {
                source = -1;
                absent++;
                firstAbsent ??= path;
            }

            if (!persons.TryGetValue(person, out int personIndex))
            {
                persons.Add(person, personIndex = persons.Count);
            }

            indices.Add(path, index = names.Count);
            names.Add(source < 0 ? path : images.Samples[source].Name);
            sources.Add(source);
            people.Add(personIndex);
            return index;
        }
    }

    /// <summary>Pairs of an InsightFace .bin, in ten folds of neighbours. A picture that stands in several pairs is one.</summary>
    /// <exception cref="UniFaceException">There are fewer than ten pairs.</exception>
    public static PairSet FromBin(string name, PairBin bin)
    {
        ArgumentNullException.ThrowIfNull(bin);
        int count = bin.Same.Count;
        if (count < FoldsOfList)
        {
            throw new UniFaceException($"{name} holds {count} pairs, expected at least {FoldsOfList}, for {FoldsOfList} folds");
        }

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
