using System.Globalization;

namespace UniFace;

/// <summary>A number with its noun, as in "1 person" and "2 people".</summary>
public static class Plural
{
    /// <summary>The number and the noun in the form that it takes.</summary>
    /// <param name="count">How many.</param>
    /// <param name="one">The noun for one.</param>
    /// <param name="many">The noun for any other number; <paramref name="one"/> with an s if null, and people for person.</param>
    public static string Of(long count, string one, string? many = null)
    {
        many ??= one.EndsWith("person", StringComparison.Ordinal) ? one[..^6] + "people" : one + "s";
        return string.Create(CultureInfo.InvariantCulture, $"{count} {(count == 1 ? one : many)}");
    }
}
