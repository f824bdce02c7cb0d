namespace UniFace.Server.Security;

/// <summary>A key as it is stored: never the key itself.</summary>
/// <param name="Id">Public part, which also names it in the audit log.</param>
/// <param name="Name">Who or what it is for.</param>
/// <param name="Scopes">What it may do.</param>
/// <param name="Hash">SHA-256 of the secret part, 64 hexadecimal digits. The secret has 256 random bits: no slow hash is needed.</param>
/// <param name="Created">When, UTC.</param>
/// <param name="Revoked">When it was revoked; null for a key that was not.</param>
/// <param name="Expires">From when on it is refused; null for never.</param>
public sealed record ApiKey(
    string Id, string Name, IReadOnlyList<Scope> Scopes, string Hash, DateTimeOffset Created, DateTimeOffset? Revoked = null, DateTimeOffset? Expires = null)
{
    /// <summary>Why the key is refused at a time, e.g. "the API key expired on 2027-02-28 00:00:00Z"; null for a key that works.</summary>
    public string? WhyRefused(DateTimeOffset now) =>
        Revoked is not null ? "the API key was revoked"
        : Expires <= now ? $"the API key expired on {Expires:u}"
        : null;

    /// <summary>True where the key may do what the scope says.</summary>
    public bool May(Scope scope) => Scopes.Contains(scope) || Scopes.Contains(Scope.Admin);
}
