using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using UniFace.Gallery;

namespace UniFace.Server.Endpoints;

/// <summary>Names of people as a request gives them: in its body to be enrolled, or in its path.</summary>
internal static class PersonNames
{
    private const string Slash = "%2F";

    /// <summary>The name under which somebody is enrolled: as given, trimmed.</summary>
    /// <exception cref="UniFaceException">It breaks the rule of <see cref="PersonName"/>.</exception>
    public static string ToEnrol(string? given)
    {
        string name = given?.Trim() ?? "";
        return PersonName.Fault(name) is string fault ? throw new UniFaceException("person " + fault) : name;
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
