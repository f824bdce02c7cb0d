using Microsoft.AspNetCore.Http.Features;

namespace UniFace.AspNetCore.Endpoints;

/// <summary>Names of people in a request's body or path. Ordinal comparison; no Unicode normalisation.</summary>
internal static class PersonNames
{
    private const string Slash = "%2F";

    /// <summary>Checks and trims the name of a person to enroll.</summary>
    /// <exception cref="UniFaceException">It breaks the rule of <see cref="PersonName"/>.</exception>
    public static string FromBody(string? given)
    {
        string name = given?.Trim() ?? "";
        return PersonName.Fault(name) is string fault ? throw new UniFaceException("person " + fault) : name;
    }

    /// <summary>Decodes the name in a path segment.</summary>
    /// <param name="person">The route's value, unescaped except for a slash, which stays %2F so that it does not split the path.</param>
    /// <param name="context">The request.</param>
    public static string FromPath(string person, HttpContext context)
    {
        if (!person.Contains(Slash, StringComparison.OrdinalIgnoreCase))
        {
            return person;
        }

        // Either a slash, or the text "%2F" that was sent as %252F: the raw request line tells which.
        string sent = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget.Split('?')[0];
        return sent.Split('/').Select(Uri.UnescapeDataString)
            .LastOrDefault(s => string.Equals(s.Replace("/", Slash, StringComparison.Ordinal), person, StringComparison.OrdinalIgnoreCase)) ?? person;
    }
}
