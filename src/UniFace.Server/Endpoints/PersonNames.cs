using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace UniFace.Server.Endpoints;

/// <summary>Names of people as a request gives them: in its body to be enrolled, or in its path.</summary>
internal static class PersonNames
{
    private const int Longest = 200;
    private const string Slash = "%2F", Backslash = "%5C";

    /// <summary>The name under which somebody is enrolled: as given, trimmed. Names are the same where all their characters are, accents that stand apart too.</summary>
    /// <exception cref="UniFaceException">It is missing or too long, holds a control character, or could not be said in a path.</exception>
    public static string ToEnrol(string? given)
    {
        string name = given?.Trim() ?? "";
        if (name.Length is 0 or > Longest || name.Any(char.IsControl))
        {
            throw new UniFaceException($"person is missing or is no name: expected 1 to {Longest} characters, none of them a control character");
        }

        // Clients resolve the dots, and some proxies unescape what is escaped twice: another person would be meant.
        return name is not ("." or "..") && !name.Contains(Slash, StringComparison.OrdinalIgnoreCase) && !name.Contains(Backslash, StringComparison.OrdinalIgnoreCase)
            ? name
            : throw new UniFaceException($"person is no name that a URL can hold: expected one that is not . or .. and does not hold {Slash} or {Backslash}");
    }

    /// <summary>The name that a path's segment means.</summary>
    /// <param name="person">The route's value: unescaped, but for a slash, which stays %2F so that it does not part the path.</param>
    /// <param name="context">The request.</param>
    public static string InPath(string person, HttpContext context)
    {
        if (!person.Contains(Slash, StringComparison.OrdinalIgnoreCase))
        {
            return person;
        }

        // A slash, or "%2F" itself, written %252F? The request's own line tells.
        string sent = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget.Split('?')[0];
        return sent.Split('/').Select(Uri.UnescapeDataString).LastOrDefault(s => string.Equals(s.Replace("/", Slash, StringComparison.Ordinal), person, StringComparison.OrdinalIgnoreCase)) ?? person;
    }
}
