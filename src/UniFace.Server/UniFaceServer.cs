using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.Logging;
using UniFace.Server.Endpoints;
using UniFace.Server.Http;
using UniFace.Server.Lab;
using UniFace.Server.Recognition;

namespace UniFace.Server;

/// <summary>The service: REST API, web pages, health. What it serves is opened before it listens.</summary>
public static class UniFaceServer
{
    /// <summary>Makes the service; run it with <see cref="WebApplication.RunAsync(string?)"/>, or start and stop it.</summary>
    /// <param name="options">What it serves, where, within which limits.</param>
    /// <param name="stop">Stops the opening.</param>
    /// <exception cref="UniFaceException">Model or gallery cannot be opened, or an address is none.</exception>
    public static async Task<WebApplication> CreateAsync(ServerOptions options, CancellationToken stop = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        EnsureLoopback(options.Urls);
        Directory.CreateDirectory(options.DataFolder);
        Recognizer recognizer = await Recognizer.OpenAsync(options, stop);

        // Empty: no setting comes from files or variables that nobody thought of.
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore();
        builder.WebHost.UseUrls([.. options.Urls]);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = options.MaxRequestBytes;
        });
        AddServices(builder.Services, options, recognizer);
        WebApplication app = builder.Build();
        Use(app);
        return app;
    }

    /// <summary>The model and the gallery that a service serves.</summary>
    public static Recognizer RecognizerOf(WebApplication app)
    {
        ArgumentNullException.ThrowIfNull(app);
        return app.Services.GetRequiredService<Recognizer>();
    }

    private static void AddServices(IServiceCollection services, ServerOptions options, Recognizer recognizer)
    {
        services.AddLogging(logging => logging
            .SetMinimumLevel(LogLevel.Information)
            .AddFilter("Microsoft", LogLevel.Warning) // its lines on requests hold paths, and so names
            .AddFilter("Microsoft.Hosting.Lifetime", LogLevel.Warning)
            .AddJsonConsole()
            .AddConsole(console => console.LogToStandardErrorThreshold = LogLevel.Trace));
        services.AddRouting();
        services.Configure<RouteHandlerOptions>(routes => routes.ThrowOnBadRequest = true); // so that a parameter that cannot be read is named
        services.AddProblemDetails();
        services.AddExceptionHandler<ProblemWriter>();
        services.ConfigureHttpJsonOptions(json =>
        {
            json.SerializerOptions.Converters.Add(new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower));
            json.SerializerOptions.NumberHandling = JsonNumberHandling.Strict;
        });
        services.AddSingleton(options);
        services.AddSingleton<LabSessions>();
        services.AddSingleton(_ => recognizer); // by a factory, so that it is disposed with the service
    }

    private static void Use(WebApplication app)
    {
        app.UseSecurityHeaders();
        app.UseExceptionHandler(new ExceptionHandlerOptions { SuppressDiagnosticsCallback = _ => true });
        app.UseStatusCodePages();
        ManifestEmbeddedFileProvider pages = new(typeof(UniFaceServer).Assembly, "wwwroot");
        app.UseDefaultFiles(new DefaultFilesOptions { FileProvider = pages });
        app.UseStaticFiles(new StaticFileOptions { FileProvider = pages, OnPrepareResponse = file => file.Context.Response.Headers.CacheControl = "no-cache" });
        app.UseRouting();
        HealthEndpoints.Map(app);
        RouteGroupBuilder v1 = app.MapGroup("/v1");

        // One line a resource.
        LossEndpoints.Map(v1);
    }

    private static void EnsureLoopback(IReadOnlyList<string> urls)
    {
        foreach (string url in urls)
        {
            if (!Uri.TryCreate(url, UriKind.Absolute, out Uri? parsed) || parsed.Scheme != Uri.UriSchemeHttp || parsed.PathAndQuery != "/")
            {
                throw new UniFaceException($"--urls {url}: expected an address such as {ServerOptions.DefaultUrl}.");
            }

            if (!parsed.IsLoopback)
            {
                throw new UniFaceException($"--urls {url}: this version serves its own machine only; expected an address such as {ServerOptions.DefaultUrl}.");
            }
        }
    }
}
