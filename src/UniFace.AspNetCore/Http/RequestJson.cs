using Microsoft.AspNetCore.Http.Json;
using Microsoft.Extensions.Options;

namespace UniFace.AspNetCore.Http;

/// <summary>The service's JSON options for request bodies: those of responses, but unknown and duplicate fields are refused.</summary>
internal sealed class RequestJson(IOptions<JsonOptions> responses)
{
    /// <summary>The options.</summary>
    public JsonSerializerOptions Options { get; } = new(responses.Value.SerializerOptions)
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        AllowDuplicateProperties = false,
    };
}
