namespace UniFace.CommandLine;

/// <summary>Finds the known word that a mistyped one probably means.</summary>
internal static class NearestWord
{
    /// <summary>The nearest known word, or null if none is similar.</summary>
    public static string? Find(string word, IEnumerable<string> known) => known
        .Select(name => (Name: name, Distance: Distance(word, name)))
        .Where(near => near.Distance <= Math.Max(1, word.Length / 3))
        .OrderBy(near => near.Distance).FirstOrDefault().Name;

    /// <summary>"; did you mean 'word'?", or a full stop.</summary>
    public static string Suggest(string word, IEnumerable<string> known) => Find(word, known) is string nearest ? $"; did you mean '{nearest}'?" : ".";

    /// <summary>Optimal string alignment distance: insertions, deletions, replacements and swaps of neighbors.</summary>
    private static int Distance(string a, string b)
    {
        int[,] d = new int[a.Length + 1, b.Length + 1];
        for (int i = 0; i <= a.Length; i++)
        {
            for (int j = 0; j <= b.Length; j++)
            {
                d[i, j] = i == 0 || j == 0
                    ? i + j
                    : Math.Min(Math.Min(d[i - 1, j], d[i, j - 1]) + 1, d[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1));
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                {
                    d[i, j] = Math.Min(d[i, j], d[i - 2, j - 2] + 1);
                }
            }
        }

        return d[a.Length, b.Length];
    }
}
