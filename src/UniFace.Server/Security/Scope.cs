using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http;

namespace UniFace.Server.Security;

/// <summary>What a key may do.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<Scope>))]
public enum Scope
{
    /// <summary>Detect, align, embed, verify, identify; see who is enrolled, and the pages' data.</summary>
    [JsonStringEnumMemberName("read")]
    Read,

    /// <summary>Enrol people.</summary>
    [JsonStringEnumMemberName("enrol")]
    Enrol,

    /// <summary>All of it, and delete people, export their templates, steer training runs.</summary>
    [JsonStringEnumMemberName("admin")]
    Admin,
}

/// <summary>The scope that an endpoint asks for, as its metadata. Without it: read for GET, admin for all else.</summary>
/// <param name="Scope">The scope.</param>
public sealed record RequiredScope(Scope Scope)
{
    /// <summary>What an endpoint asks for, for the door and for the API's description; null for one that is open to all (health, pages, the description itself).</summary>
    /// <param name="metadata">The endpoint's metadata.</param>
    /// <param name="route">Its route, e.g. "/v1/people".</param>
    /// <param name="method">The method of the request.</param>
    internal static Scope? Of(IEnumerable<object> metadata, string? route, string method) =>
        metadata.OfType<RequiredScope>().LastOrDefault() is RequiredScope required ? required.Scope
        : route?.TrimStart('/').StartsWith("v1", StringComparison.OrdinalIgnoreCase) == true ? (HttpMethods.IsGet(method) || HttpMethods.IsHead(method) ? Scope.Read : Scope.Admin)
        : null;
}
