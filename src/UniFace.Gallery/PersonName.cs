namespace UniFace.Gallery;

/// <summary>
/// The rule for the names of people: a name can be shown on one line and used in a URL. Names are compared ordinally, without Unicode
/// normalization. Names that are older than the rule can still be listed and removed.
/// </summary>
internal static class PersonName
{
    private const int MaxLength = 200; // UTF-16 characters

    private const string Slash = "%2F", Backslash = "%5C";

    /// <summary>What is wrong with a name, to follow "person NAME"; null if it is valid.</summary>
    public static string? Validate(string? name)
    {
        if (name is not { Length: > 0 and <= MaxLength } || name.Any(c => char.IsControl(c) || c is '\u2028' or '\u2029'))
        {
            return $"is missing or is not a valid name: expected 1 to {MaxLength} characters, none of them a control character";
        }

        if (name.Trim().Length != name.Length)
        {
            return "is not a valid name: it begins or ends with a space";
        }

        // Wrong decoding replaces different characters by this one: two people would have one name.
        if (name.EnumerateRunes().Contains(Rune.ReplacementChar))
        {
            return "is not a valid name: it contains bytes that are not UTF-8";
        }

        // Clients resolve dots, and some proxies unescape twice: the request would reach another person.
        return name is "." or ".." || name.Contains(Slash, StringComparison.OrdinalIgnoreCase) || name.Contains(Backslash, StringComparison.OrdinalIgnoreCase)
            ? $"is not a valid name in a URL: expected one that is not . or .. and does not contain {Slash} or {Backslash}"
            : null;
    }

    /// <summary>Fails if a name is not valid.</summary>
    /// <exception cref="UniFaceException">It breaks the rule.</exception>
    public static void ThrowIfInvalid(string? name)
    {
        if (Validate(name) is string fault)
        {
            throw new UniFaceException($"person '{(name?.Length > 60 ? name[..60] + ".." : name)}' {fault}");
        }
    }
}
