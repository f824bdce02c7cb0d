using System.Globalization;

namespace UniFace.Benchmarks.Commands;

/// <summary>An option's numbers, separated by commas.</summary>
internal static class NumberList
{
    /// <summary>Parses numbers from 1 to a largest one.</summary>
    /// <exception cref="UniFaceException">A part is not such a number.</exception>
    public static int[] Parse(string option, string text, int largest, string example)
    {
        int[] numbers = [.. text.Split(',').Select(p => int.TryParse(p, NumberStyles.None, CultureInfo.InvariantCulture, out int n) ? n : 0)];
        return numbers.All(n => n >= 1 && n <= largest)
            ? numbers
            : throw new UniFaceException($"{option} {text}: expected numbers from 1 to {largest}, e.g. {example}.");
    }
}
