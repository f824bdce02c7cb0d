namespace UniFace;

/// <summary>A number with its noun, as in "1 person" and "2 people".</summary>
internal static class Plural
{
    /// <summary>The number and the noun in the singular or plural.</summary>
    /// <param name="count">The number.</param>
    /// <param name="one">The noun in the singular.</param>
    /// <param name="many">The noun in the plural; by default <paramref name="one"/> with an s, and people for person.</param>
    public static string Format(long count, string one, string? many = null)
    {
        many ??= one.EndsWith("person", StringComparison.Ordinal) ? one[..^6] + "people" : one + "s";
        return $"{count} {(count == 1 ? one : many)}";
    }
}
