using UniFace.AspNetCore.Endpoints;

namespace UniFace.AspNetCore.Hosting;

/// <summary>The recognition API, for the service and for applications that mount it.</summary>
internal static class RecognitionApi
{
    /// <summary>Adds what the endpoints need, except <see cref="ServerOptions"/>, <see cref="RequestJson"/> and a time provider.</summary>
    /// <param name="services">The services.</param>
    /// <param name="open">Opens the model and its gallery; null if there is no model.</param>
    public static void AddRecognition(this IServiceCollection services, Func<IServiceProvider, OpenedModel?> open)
    {
        services.AddSingleton<ServerMetrics>();
        services.AddSingleton(provider =>
            new RecognizerSlot(open(provider) is OpenedModel opened ? ActivatorUtilities.CreateInstance<Recognizer>(provider, opened) : null));
        services.AddSingleton(provider => BodyMemory.Create(provider.GetRequiredService<ServerOptions>()));
        services.AddSingleton(provider =>
        {
            ServerOptions options = provider.GetRequiredService<ServerOptions>();
            return ActivatorUtilities.CreateInstance<AuditLog>(provider, options.DataFolder, options.MaxAuditBytes);
        });
        services.AddSingleton(provider => new FairLimiter(provider.GetRequiredService<ServerOptions>().MaxConcurrentRequests));
        services.AddHostedService<Retention>();
    }

    /// <summary>Maps the endpoints. Without a RequiredScope, an endpoint requires the scope read for GET and admin otherwise.</summary>
    public static void MapRecognition(this RouteGroupBuilder v1, IServiceProvider services)
    {
        v1.AddEndpointFilter(StrictQueryNumbers.Filter);
        RouteGroupBuilder faces = v1.MapGroup("").WithTags("faces");
        PhotoEndpoints.Map(faces);
        VerifyEndpoints.Map(faces);
        IdentifyEndpoints.Map(faces);
        PeopleEndpoints.Map(v1);
        GalleryEndpoints.Map(v1);
        ModelEndpoints.Map(v1);
        foreach (IServiceModule module in services.GetServices<IServiceModule>())
        {
            module.Map(v1);
        }
    }
}
