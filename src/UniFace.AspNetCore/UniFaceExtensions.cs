using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using UniFace.AspNetCore.Hosting;

namespace UniFace.AspNetCore;

/// <summary>Adds the recognition API to an application of your own, under its authentication, authorization and routes.</summary>
public static class UniFaceExtensions
{
    /// <summary>
    /// Adds model, gallery and audit log. They are opened when the application starts, which fails with one sentence if they cannot be. Options come
    /// from the configuration section "UniFace", where an unknown name is an error, then from <paramref name="configure"/>.
    /// </summary>
    /// <param name="services">The application's services.</param>
    /// <param name="configure">Sets options; null for those of the configuration.</param>
    public static IServiceCollection AddUniFace(this IServiceCollection services, Action<UniFaceOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        OptionsBuilder<UniFaceOptions> options = services.AddOptions<UniFaceOptions>().BindConfiguration(UniFaceOptions.SectionName)
            .Validate(
                o => o is { MaxRequestBytes: > 0, MaxPixels: > 0, MaxConcurrentRequests: > 0 },
                "MaxRequestBytes, MaxPixels and MaxConcurrentRequests must be above 0.")
            .Validate(o => o.RetentionDays is null or (>= 1 and <= UniFaceServer.MaxRetentionDays), "RetentionDays must be 1 to 36500, or absent.")
            .Validate(o => o.DataFolder.Length > 0, "DataFolder must not be empty.")
            .ValidateOnStart();
        options.Configure<IConfiguration>((o, configuration) =>
        {
            RequireKnownNames(configuration.GetSection(UniFaceOptions.SectionName));
            const string name = $"{UniFaceOptions.SectionName}:{nameof(UniFaceOptions.GalleryKey)}";
            o.GalleryKey = configuration[name] is { Length: > 0 } text ? GalleryKey.FromText(text, name) : o.GalleryKey;
        });
        if (configure is not null)
        {
            options.Configure(configure);
        }

        services.AddProblemDetails();
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton(provider => provider.GetRequiredService<IOptions<UniFaceOptions>>().Value.ToServerOptions());
        services.TryAddSingleton(_ => MountedApi.CreateRequestJson());
        services.TryAddSingleton<MountedApi.Mounts>();
        services.AddHostedService<MountedApi.Opener>();
        services.AddRecognition(MountedApi.Open);
        return services;
    }

    /// <summary>
    /// Maps the recognition API. Requests pass if the application authorizes them, as with <c>app.MapUniFace().RequireAuthorization()</c>. Without any
    /// authorization, only requests from this machine pass; <c>AllowAnonymous()</c> admits everybody.
    /// </summary>
    /// <param name="endpoints">The application.</param>
    /// <param name="prefix">The route prefix of the API.</param>
    /// <returns>
    /// The group of endpoints, for policies of your own. Only the endpoints that are mapped first have names: a name is unique in an application.
    /// </returns>
    public static RouteGroupBuilder MapUniFace(this IEndpointRouteBuilder endpoints, string prefix = "/v1")
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        if (endpoints.ServiceProvider.GetService<RequestJson>() is null)
        {
            throw new InvalidOperationException($"call services.{nameof(AddUniFace)}() before {nameof(MapUniFace)}");
        }

        RouteGroupBuilder group = new BindingErrors(endpoints).MapGroup(prefix);
        MountedApi.Guard(group, endpoints.ServiceProvider);
        group.MapRecognition(endpoints.ServiceProvider);
        return group;
    }

    // A misspelt option would be ignored, and what it should have limited would not be.
    private static void RequireKnownNames(IConfigurationSection section)
    {
        string[] known = [.. typeof(UniFaceOptions).GetProperties().Select(property => property.Name).Order(StringComparer.Ordinal)];
        if (section.GetChildren().FirstOrDefault(child => !known.Contains(child.Key, StringComparer.OrdinalIgnoreCase)) is IConfigurationSection unknown)
        {
            throw new UniFaceException($"the configuration has {unknown.Path}, which is no option; expected one of {string.Join(", ", known)}");
        }
    }
}
