namespace UniFace.Data.Pairs;

/// <summary>One comparison of a pairs file.</summary>
/// <param name="FirstPerson">Name of the first image's person, as in the file.</param>
/// <param name="FirstNumber">Number of the first image, from 1.</param>
/// <param name="SecondPerson">Name of the second image's person.</param>
/// <param name="SecondNumber">Number of the second image, from 1.</param>
/// <param name="Same">Whether both images show one person.</param>
/// <param name="Fold">Index of the fold, from 0.</param>
internal sealed record LfwPair(string FirstPerson, int FirstNumber, string SecondPerson, int SecondNumber, bool Same, int Fold)
{
    /// <summary>"Ann/Ann_0001", the first image's path without its extension.</summary>
    public string FirstPath => FormatPath(FirstPerson, FirstNumber);

    /// <summary>"Ann/Ann_0001", the second image's path without its extension.</summary>
    public string SecondPath => FormatPath(SecondPerson, SecondNumber);

    private static string FormatPath(string person, int number) => Invariant($"{person}/{person}_{number:D4}");
}

/// <summary>
/// A pairs file in the form of LFW: a first line "FOLDS TAB N" (or "N" for one fold), then for each fold N lines "NAME TAB I TAB J" for
/// mated pairs and N lines "NAME TAB I TAB NAME TAB J" for non-mated ones. Fields are separated by tabs, or by spaces in a line without
/// tabs.
/// </summary>
/// <param name="Folds">Number of folds.</param>
/// <param name="Pairs">All pairs in the file's order.</param>
internal sealed record LfwPairs(int Folds, IReadOnlyList<LfwPair> Pairs)
{
    private const int MaxFolds = 1000;

    /// <summary>Reads a pairs file.</summary>
    /// <exception cref="UniFaceException">A line is not as expected; the message names it.</exception>
    public static LfwPairs Read(string path)
    {
        int folds = 0, half = 0;
        List<LfwPair> pairs = [];
        foreach ((int number, string text) in FileSegment.ReadLines(path))
        {
            string[] fields = text.Contains('\t')
                ? text.Split('\t', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
                : text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (folds == 0)
            {
                folds = fields.Length == 2 ? Parse(fields[0]) : 1;
                half = Parse(fields[^1]);
                if (fields.Length > 2 || half < 1 || folds is < 1 or > MaxFolds)
                {
                    throw Bad(number, "is not 'FOLDS TAB N' or 'N', the number of folds and of pairs of one kind in each");
                }

                continue;
            }

            (long fold, long index) = Math.DivRem(pairs.Count, 2L * half);
            if (fold >= folds)
            {
                throw Bad(number, $"is one more than the {2L * folds * half} pairs that the first line announces");
            }

            bool same = index < half;
            if (fields.Length != (same ? 3 : 4))
            {
                string expected = same ? "3 (name, number, number: the same person)" : "4 (name, number, name, number: two people)";
                throw Bad(number, $"has {fields.Length} fields, expected {expected} as pair {index + 1} of fold {fold + 1}");
            }

            string other = same ? fields[0] : fields[2];
            if (!same && other == fields[0])
            {
                throw Bad(number, $"names {other} twice in a pair of two people");
            }

            pairs.Add(new LfwPair(fields[0], ImageNumber(number, fields[1]), other, ImageNumber(number, fields[^1]), same, (int)fold));
        }

        return folds == 0 ? throw new UniFaceException($"{path} is empty; expected a first line 'FOLDS TAB N' and 2 N pairs per fold")
            : pairs.Count == 2L * folds * half ? new LfwPairs(folds, pairs)
            : throw new UniFaceException(
                $"{path} ends after {pairs.Count} pairs; its first line announces {2L * folds * half} ({folds} folds of {half} same and {half} different)");

        int ImageNumber(int number, string field) =>
            Parse(field) is int value and > 0 ? value : throw Bad(number, $"has '{field}' where the number of an image (from 1) was expected");

        UniFaceException Bad(int number, string what) => new($"{path}: line {number} {what}");
    }

    /// <summary>A number, or -1.</summary>
    private static int Parse(string field) => int.TryParse(field, NumberStyles.None, CultureInfo.InvariantCulture, out int value) ? value : -1;
}
