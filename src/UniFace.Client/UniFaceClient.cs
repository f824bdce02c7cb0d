using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace UniFace.Client;

/// <summary>
/// The service's API, generated from its OpenAPI description (docs/openapi.json). Errors are <see cref="ApiException{Problem}"/>, with
/// one line of what is wrong and what to do. Thread-safe.
/// </summary>
public partial class UniFaceClient
{
    /// <summary>A client of one service, or of several replicas of it.</summary>
    /// <param name="replicas">Their addresses. A replica that does not answer, or is too busy, is passed over for the next one.</param>
    /// <param name="key">API key; null at the service's own machine.</param>
    /// <param name="patience">How long a request is tried again, on all replicas in turn, before its failure is thrown; 30 s if left out.</param>
    public static UniFaceClient Connect(IReadOnlyList<Uri> replicas, string? key = null, TimeSpan? patience = null)
    {
        ArgumentNullException.ThrowIfNull(replicas);
        ArgumentOutOfRangeException.ThrowIfZero(replicas.Count);
#pragma warning disable CA2000 // The handler lives and ends with the client's HttpClient.
        HttpClient http = new(new ReplicaHandler(replicas, patience ?? TimeSpan.FromSeconds(30))) { BaseAddress = replicas[0], Timeout = Timeout.InfiniteTimeSpan };
#pragma warning restore CA2000
        if (key is not null)
        {
            http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        }

        return new UniFaceClient(http);
    }

    /// <summary>A client of one service.</summary>
    /// <param name="address">Its address, e.g. http://127.0.0.1:8080.</param>
    /// <param name="key">API key; null at the service's own machine.</param>
    public static UniFaceClient Connect(Uri address, string? key = null) => Connect([address], key);

    static partial void UpdateJsonSerializerSettings(JsonSerializerOptions settings)
    {
        settings.DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull; // what is left out is not sent: the service has its own defaults
        settings.Converters.Add(new JsonStringEnumConverter());
    }
}
