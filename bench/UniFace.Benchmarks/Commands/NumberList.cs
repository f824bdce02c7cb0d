using System.Globalization;
using System.Numerics;

namespace UniFace.Benchmarks.Commands;

/// <summary>An option's numbers, separated by commas.</summary>
internal static class NumberList
{
    /// <summary>Parses whole numbers of a range.</summary>
    /// <exception cref="UniFaceException">A part is not such a number.</exception>
    public static T[] Parse<T>(string option, string text, T least, T most, string example) where T : IBinaryInteger<T> =>
    [
        .. text.Split(',', StringSplitOptions.TrimEntries).Select(part =>
            T.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out T? number) && number >= least && number <= most
                ? number
                : throw new UniFaceException($"{option}: '{part}' is not a number from {least} to {most}; expected numbers like {example}.")),
    ];
}
