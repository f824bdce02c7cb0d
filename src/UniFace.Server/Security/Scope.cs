using System.Text.Json.Serialization;

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
public sealed record RequiredScope(Scope Scope);
