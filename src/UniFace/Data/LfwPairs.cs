using System.Globalization;

namespace UniFace.Data;

/// <summary>One comparison of a pairs file.</summary>
/// <param name="FirstPerson">Name of the first picture's person, as in the file.</param>
/// <param name="FirstNumber">Number of the first picture, from 1.</param>
/// <param name="SecondPerson">Name of the second picture's person; the first's where the two are the same person.</param>
/// <param name="SecondNumber">Number of the second picture, from 1.</param>
/// <param name="Same">Whether both pictures show one person.</param>
/// <param name="Fold">Index of the fold, from 0.</param>
public sealed record LfwPair(string FirstPerson, int FirstNumber, string SecondPerson, int SecondNumber, bool Same, int Fold)
{
    /// <summary>"Ann/Ann_0001", the first picture's path without its extension.</summary>
    public string FirstPath => PathOf(FirstPerson, FirstNumber);

    /// <summary>"Ann/Ann_0001", the second picture's path without its extension.</summary>
    public string SecondPath => PathOf(SecondPerson, SecondNumber);

    private static string PathOf(string person, int number) => string.Create(CultureInfo.InvariantCulture, $"{person}/{person}_{number:D4}");
}

/// <summary>
/// A pairs file in the form of LFW: a first line "FOLDS TAB N" (or "N" for one fold), then for each fold N lines
/// "NAME TAB I TAB J" of the same person and N lines "NAME TAB I TAB NAME TAB J" of two. Fields are separated by tabs, or, in a line
/// without a tab, by spaces.
/// </summary>
/// <param name="Folds">Number of folds.</param>
/// <param name="Pairs">All pairs in the file's order.</param>
public sealed record LfwPairs(int Folds, IReadOnlyList<LfwPair> Pairs)
{
    private const int MostFolds = 1000;

    /// <summary>Reads a pairs file.</summary>
    /// <exception cref="UniFaceException">A line is not as expected; says which.</exception>
    public static LfwPairs Read(string path)
    {
        FileSegment file = FileSegment.Open(path, out Microsoft.Win32.SafeHandles.SafeFileHandle handle);
        using (handle)
        {
            return Parse(file.Name, file.Lines());
        }
    }

    private static LfwPairs Parse(string path, IEnumerable<(int Number, string Text)> lines)
    {
        int folds = 0;
        int half = 0;
        List<LfwPair> pairs = [];
        foreach ((int number, string text) in lines)
        {
            if (string.IsNullOrWhiteSpace(text))
            {
                continue;
            }

            string[] fields = Fields(number == 1 ? text.TrimStart('\uFEFF') : text);
            if (folds == 0)
            {
                (folds, half) = Header(path, number, fields);
                continue;
            }

            long at = pairs.Count;
            if (at >= 2L * folds * half)
            {
                throw Bad(path, number, $"is one more than the {2L * folds * half} pairs that the first line announces");
            }

            bool same = at % (2L * half) < half;
            int fold = (int)(at / (2L * half));
            if (fields.Length != (same ? 3 : 4))
            {
                throw Bad(path, number, $"has {fields.Length} fields, expected {(same ? "3 (name, number, number: the same person)" : "4 (name, number, name, number: two people)")} as pair {at % (2L * half) + 1} of fold {fold + 1}");
            }

            int first = Picture(path, number, fields[1]);
            int second = Picture(path, number, fields[^1]);
            string other = same ? fields[0] : fields[2];
            if (!same && other == fields[0])
            {
                throw Bad(path, number, $"names {other} twice in a pair of two people");
            }

            pairs.Add(new LfwPair(fields[0], first, other, second, same, fold));
        }

        if (folds == 0 || pairs.Count != 2L * folds * half)
        {
            throw new UniFaceException(folds == 0
                ? $"{path} is empty; expected a first line 'FOLDS TAB N' and 2 N pairs a fold."
                : $"{path} ends after {pairs.Count} pairs; its first line announces {2L * folds * half} ({folds} folds of {half} same and {half} different).");
        }

        return new LfwPairs(folds, pairs);
    }

    private static string[] Fields(string text) => text.Contains('\t', StringComparison.Ordinal)
        ? text.Split('\t', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
        : text.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    private static (int Folds, int Half) Header(string path, int number, string[] fields)
    {
        int folds = 1;
        if (fields.Length is not (1 or 2)
            || !int.TryParse(fields[^1], NumberStyles.None, CultureInfo.InvariantCulture, out int half)
            || (fields.Length == 2 && !int.TryParse(fields[0], NumberStyles.None, CultureInfo.InvariantCulture, out folds))
            || half < 1 || folds is < 1 or > MostFolds)
        {
            throw Bad(path, number, "is not 'FOLDS TAB N' or 'N', the number of folds and of pairs of one kind in each");
        }

        return (folds, half);
    }

    private static int Picture(string path, int number, string field) =>
        int.TryParse(field, NumberStyles.None, CultureInfo.InvariantCulture, out int value) && value > 0
            ? value
            : throw Bad(path, number, $"has '{field}' where the number of a picture (from 1) was expected");

    private static UniFaceException Bad(string path, int number, string what) => new($"{path}: line {number} {what}.");
}
