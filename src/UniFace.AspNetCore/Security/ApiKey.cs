namespace UniFace.AspNetCore.Security;

/// <summary>A key as it is stored, without its secret.</summary>
/// <param name="Id">Public part; also names the key in the audit log.</param>
/// <param name="Name">Who or what it is for.</param>
/// <param name="Scopes">What it may do.</param>
/// <param name="Hash">SHA-256 of the secret part, 64 hexadecimal digits. The secret has 256 random bits, so no slow hash is needed.</param>
/// <param name="Created">When it was created, UTC.</param>
/// <param name="Revoked">When it was revoked; null if it was not.</param>
/// <param name="Expires">When it expires; null for never.</param>
internal sealed record ApiKey(
    string Id, string Name, IReadOnlyList<Scope> Scopes, string Hash, DateTimeOffset Created, DateTimeOffset? Revoked = null, DateTimeOffset? Expires = null)
{
    /// <summary>Why the key is refused at a time, such as "the API key expired on 2027-02-28 00:00:00Z"; null for a valid key.</summary>
    public string? WhyRefused(DateTimeOffset now) =>
        Revoked is not null ? "the API key was revoked"
        : Expires <= now ? $"the API key expired on {Expires:u}"
        : null;

    /// <summary>True if the key has the scope, or admin.</summary>
    public bool Has(Scope scope) => Scopes.Contains(scope) || Scopes.Contains(Scope.Admin);
}

[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    WriteIndented = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    GenerationMode = JsonSourceGenerationMode.Metadata)]
[JsonSerializable(typeof(List<ApiKey>))]
internal sealed partial class ApiKeyJson : JsonSerializerContext;
