using Microsoft.Extensions.FileProviders;
using UniFace.AspNetCore.Hosting;
using UniFace.Studio.Endpoints;
using UniFace.Studio.Lab;
using UniFace.Studio.Maps;
using UniFace.Studio.Results;
using UniFace.Studio.Runs;

namespace UniFace.Studio;

/// <summary>Adds UniFace Studio to a service: margin lab, training runs and evaluation results, with their pages.</summary>
public static class StudioServices
{
    /// <summary>Adds UniFace Studio.</summary>
    /// <param name="services">The services of a <see cref="UniFaceServer"/>.</param>
    /// <param name="runs">Folder of training runs; it may be missing.</param>
    public static IServiceCollection AddUniFaceStudio(this IServiceCollection services, string runs)
    {
        services.AddSingleton<LabSessions>();
        services.AddSingleton(provider => ActivatorUtilities.CreateInstance<RunCatalog>(provider, runs));
        services.AddSingleton(new ResultCatalog(runs));
        services.AddSingleton<RunWorker>();
        services.AddSingleton<EmbeddingMaps>();
        services.AddSingleton<IServiceModule, Module>();
        services.AddOpenApi("v1"); // adds the XML comments of this assembly to the service's description
        return services;
    }

    private sealed class Module : IServiceModule
    {
        public IFileProvider Pages { get; } = new ManifestEmbeddedFileProvider(typeof(StudioServices).Assembly, "wwwroot");

        public void Map(RouteGroupBuilder v1)
        {
            LossEndpoints.Map(v1);
            RunEndpoints.Map(v1);
            ResultEndpoints.Map(v1);
        }
    }
}
