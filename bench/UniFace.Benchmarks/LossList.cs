namespace UniFace.Benchmarks;

/// <summary>Losses on the command line, separated by commas, whose hyperparameters are in parentheses.</summary>
internal static class LossList
{
    /// <summary>Splits at commas outside of parentheses.</summary>
    public static IEnumerable<string> Split(string text)
    {
        int depth = 0, start = 0;
        for (int i = 0; i <= text.Length; i++)
        {
            if (i == text.Length || (text[i] == ',' && depth == 0))
            {
                yield return text[start..i];
                start = i + 1;
            }
            else
            {
                depth += text[i] == '(' ? 1 : text[i] == ')' ? -1 : 0;
            }
        }
    }
}
