namespace UniFace.AspNetCore.Security;

/// <summary>What a key may do.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<Scope>))]
internal enum Scope
{
    /// <summary>Detect, align, embed, verify, identify, list enrolled people, and read the pages' data.</summary>
    [JsonStringEnumMemberName("read")]
    Read,

    /// <summary>Enroll people.</summary>
    [JsonStringEnumMemberName(ScopeNames.Enroll)]
    Enroll,

    /// <summary>Everything, including deleting people, exporting templates and controlling training runs.</summary>
    [JsonStringEnumMemberName("admin")]
    Admin,
}

/// <summary>Endpoint metadata: the scope that it requires. Without it, an endpoint under /v1 requires read for GET and admin otherwise.</summary>
/// <param name="Scope">The scope.</param>
internal sealed record RequiredScope(Scope Scope)
{
    /// <summary>True for a route of the API, such as "/v1/people".</summary>
    public static bool IsApi(string? route) => route?.TrimStart('/').StartsWith("v1", StringComparison.OrdinalIgnoreCase) == true;

    /// <summary>Finds the scope that an endpoint requires; null if it is open to all (health, pages, the API's description).</summary>
    /// <param name="metadata">The endpoint's metadata.</param>
    /// <param name="route">Its route, such as "/v1/people".</param>
    /// <param name="method">The request's method.</param>
    public static Scope? Find(IEnumerable<object> metadata, string? route, string method) =>
        metadata.OfType<RequiredScope>().LastOrDefault() is RequiredScope required ? required.Scope
        : !IsApi(route) ? null
        : HttpMethods.IsGet(method) || HttpMethods.IsHead(method) ? Scope.Read
        : Scope.Admin;
}

/// <summary>Adds <see cref="RequiredScope"/> to endpoints.</summary>
internal static class RequiredScopes
{
    /// <summary>Requires a scope for an endpoint.</summary>
    public static T RequireScope<T>(this T endpoint, Scope scope)
        where T : IEndpointConventionBuilder => endpoint.WithMetadata(new RequiredScope(scope));
}

/// <summary>Names of scopes as users and files spell them.</summary>
internal static class ScopeNames
{
    /// <summary>Name of <see cref="Scope.Enroll"/>.</summary>
    public const string Enroll = "enrol";

    /// <summary>The scope's name.</summary>
    public static string Name(this Scope scope) => JsonSerializer.SerializeToElement(scope, ApiKeyJson.Default.Scope).GetString()!;
}
