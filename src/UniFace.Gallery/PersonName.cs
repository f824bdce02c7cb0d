namespace UniFace.Gallery;

/// <summary>
/// The rule for names under which people are enrolled, whichever way they come in: every one of them can be shown in a line and be said in a URL. Names
/// are compared ordinally, without Unicode normalisation. Names of before the rule are listed and removed as any other.
/// </summary>
public static class PersonName
{
    /// <summary>Longest name, in UTF-16 characters.</summary>
    public const int Longest = 200;

    private const string Slash = "%2F", Backslash = "%5C";

    /// <summary>What is wrong with a name, to follow "person NAME"; null if somebody can be enrolled under it.</summary>
    public static string? Fault(string? name)
    {
        if (name is not { Length: > 0 and <= Longest } || name.Any(c => char.IsControl(c) || c is '\u2028' or '\u2029'))
        {
            return $"is missing or is no name: expected 1 to {Longest} characters, none of them a control character";
        }

        if (name.Trim().Length != name.Length)
        {
            return "is no name: expected one that neither begins nor ends with a space";
        }

        // What was decoded wrongly is one character for many: two people would have one name.
        if (name.EnumerateRunes().Any(r => r == System.Text.Rune.ReplacementChar))
        {
            return "is no name: it holds bytes that are not UTF-8";
        }

        // Clients resolve the dots, and some proxies unescape what is escaped twice: another person would be meant.
        return name is "." or ".." || name.Contains(Slash, StringComparison.OrdinalIgnoreCase) || name.Contains(Backslash, StringComparison.OrdinalIgnoreCase)
            ? $"is no name that a URL can hold: expected one that is not . or .. and does not hold {Slash} or {Backslash}"
            : null;
    }

    /// <summary>Refuses a name under which nobody can be enrolled.</summary>
    /// <exception cref="UniFaceException">It breaks the rule.</exception>
    public static void Ensure(string? name)
    {
        if (Fault(name) is string fault)
        {
            throw new UniFaceException($"person '{(name?.Length > 60 ? name[..60] + "..." : name)}' {fault}.");
        }
    }
}
