using System.Net.Http.Headers;

namespace UniFace.Client;

/// <summary>
/// Client of the service, generated from its OpenAPI description (docs/openapi.json). Errors are <see cref="ApiException{Problem}"/>, whose detail says in one
/// line what is wrong and what to do. Thread-safe.
/// </summary>
public partial class UniFaceClient
{
    /// <summary>Creates a client of one or more replicas of a service.</summary>
    /// <param name="replicas">Their addresses. A replica that does not answer or is too busy is skipped.</param>
    /// <param name="key">API key; null on the service's own machine.</param>
    /// <param name="patience">How long a failed request is retried, on all replicas in turn. Default: 30 s.</param>
    public static UniFaceClient Connect(IReadOnlyList<Uri> replicas, string? key = null, TimeSpan? patience = null)
    {
        ArgumentNullException.ThrowIfNull(replicas);
        ArgumentOutOfRangeException.ThrowIfZero(replicas.Count);
#pragma warning disable CA2000 // Owned by the HttpClient.
        HttpClient http = new(new ReplicaHandler(replicas, patience ?? TimeSpan.FromSeconds(30)))
        {
            BaseAddress = replicas[0],
            Timeout = Timeout.InfiniteTimeSpan,
        };
#pragma warning restore CA2000
        if (key is not null)
        {
            http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        }

        return new UniFaceClient(http);
    }

    /// <summary>Creates a client of one service.</summary>
    /// <param name="address">Its address, e.g. http://127.0.0.1:8080.</param>
    /// <param name="key">API key; null on the service's own machine.</param>
    public static UniFaceClient Connect(Uri address, string? key = null) => Connect([address], key);

    static partial void UpdateJsonSerializerSettings(JsonSerializerOptions settings)
    {
        settings.DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull; // the service has its own defaults
        settings.Converters.Add(new JsonStringEnumConverter());
    }
}
