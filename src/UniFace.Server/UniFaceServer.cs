using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.Logging;
using Scalar.AspNetCore;
using UniFace.Server.Endpoints;
using UniFace.Server.Http;
using UniFace.Server.Lab;
using UniFace.Server.OpenApi;
using UniFace.Server.Recognition;
using UniFace.Server.Runs;
using UniFace.Server.Security;

namespace UniFace.Server;

/// <summary>The service: REST API, web pages, health. What it serves is opened before it listens.</summary>
public static class UniFaceServer
{
    private const int MostConnections = 1024, MostRetentionDays = 36_500;

    /// <summary>Makes the service; run it with <see cref="WebApplication.RunAsync(string?)"/>, or start and stop it.</summary>
    /// <param name="options">What it serves, where, within which limits.</param>
    /// <param name="stop">Stops the opening.</param>
    /// <exception cref="UniFaceException">Model or gallery cannot be opened, or an address is none.</exception>
    public static async Task<WebApplication> CreateAsync(ServerOptions options, CancellationToken stop = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        EnsureUrls(options.Urls);
        if (options.RetentionDays is < 1 or > MostRetentionDays)
        {
            throw new UniFaceException($"--retention-days {options.RetentionDays}: expected 1 to {MostRetentionDays}; leave it out to keep people.");
        }

        DataFolder.Make(options.DataFolder);
        _ = new ApiKeyStore(options.DataFolder).All(); // keys that cannot be read are said now, not to every caller
        Recognizer recognizer = await Recognizer.OpenAsync(options, stop);

        // Empty: no setting comes from files or variables that nobody thought of.
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore();
        builder.WebHost.UseUrls([.. options.Urls]);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = options.MaxRequestBytes;
            kestrel.Limits.MaxConcurrentConnections = MostConnections;
            kestrel.Limits.MaxRequestHeadersTotalSize = 16 << 10;
            kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);

            // A sender or a reader slower than a poor mobile network keeps others waiting.
            kestrel.Limits.MinRequestBodyDataRate = kestrel.Limits.MinResponseDataRate = new MinDataRate(bytesPerSecond: 8 << 10, gracePeriod: TimeSpan.FromSeconds(5));
        });
        builder.AddTelemetry();
        AddServices(builder.Services, options, recognizer);
        WebApplication app = builder.Build();
        Use(app);
        _ = app.Services.GetRequiredService<FaceService>(); // made now, so that all that was opened is closed with the service
        return app;
    }

    /// <summary>The model and the gallery that a service serves.</summary>
    public static Recognizer RecognizerOf(WebApplication app)
    {
        ArgumentNullException.ThrowIfNull(app);
        return app.Services.GetRequiredService<Recognizer>();
    }

    /// <summary>True where one of the addresses is reached from other machines.</summary>
    public static bool IsOpenToOthers(IEnumerable<string> urls) => urls.Any(url => Address(url) is not { IsLoopback: true });

    private static void AddServices(IServiceCollection services, ServerOptions options, Recognizer recognizer)
    {
        services.AddLogging(logging => logging
            .SetMinimumLevel(LogLevel.Information)
            .AddFilter("Microsoft", LogLevel.Warning) // its lines on requests hold paths, and so names
            .AddFilter("Microsoft.AspNetCore.Diagnostics.ExceptionHandlerMiddleware", LogLevel.None) // whole exceptions; ProblemWriter and RequestLog write what may be written
            .AddFilter("Microsoft.Extensions.Hosting", LogLevel.None) // a start that fails is told by whoever starts, in one line
            .AddJsonConsole()
            .AddConsole(console => console.LogToStandardErrorThreshold = LogLevel.Trace));
        services.AddRouting();
        services.Configure<RouteHandlerOptions>(routes => routes.ThrowOnBadRequest = true); // so that a parameter that cannot be read is named
        services.AddProblemDetails(problems => problems.CustomizeProblemDetails =
            problem => problem.ProblemDetails.Detail ??= ProblemWriter.DetailOf(problem.HttpContext.Response));
        services.AddExceptionHandler<ProblemWriter>();
        services.ConfigureHttpJsonOptions(json =>
        {
            json.SerializerOptions.Converters.Add(new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower));
            json.SerializerOptions.NumberHandling = JsonNumberHandling.Strict;
        });
        services.AddRequestLimits(options);
        services.AddHttpContextAccessor();
        services.AddApiDescription();
        services.AddSingleton(options);
        services.AddSingleton<LabSessions>();
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton(new RunCatalog(options.Runs));
        services.AddSingleton(new ResultCatalog(options.Runs));
        services.AddSingleton<RunWorker>();
        services.AddSingleton<EmbeddingMaps>();
        services.AddSingleton(_ => recognizer); // by a factory, so that it is disposed with the service
        services.AddSingleton<ServerMetrics>();
        services.AddSingleton<FaceService>();
        services.AddSingleton<BodyMemory>();
        services.AddSingleton(provider => new ApiKeyStore(options.DataFolder, provider.GetRequiredService<ILogger<ApiKeyStore>>()));
        services.AddSingleton(provider => new AuditLog(
            options.DataFolder, options.MaxAuditBytes, provider.GetRequiredService<ServerMetrics>(), provider.GetRequiredService<ILogger<AuditLog>>()));
        services.AddSingleton<Refusals>();
        services.AddSingleton<Retention>();
        services.AddHostedService<UnusedMemory>();
        if (options.RetentionDays is not null)
        {
            services.AddHostedService(provider => provider.GetRequiredService<Retention>());
        }
    }

    private static void Use(WebApplication app)
    {
        app.UseSecurityHeaders();
        app.UseUnreadBodies();
        app.UseMiddleware<RequestLog>();
        app.UseExceptionHandler(new ExceptionHandlerOptions { SuppressDiagnosticsCallback = _ => true });
        app.UseStatusCodePages();
        app.UseStrictText();
        ManifestEmbeddedFileProvider pages = new(typeof(UniFaceServer).Assembly, "wwwroot");
        app.UseDefaultFiles(new DefaultFilesOptions { FileProvider = pages });
        app.UseStaticFiles(new StaticFileOptions { FileProvider = pages, OnPrepareResponse = file => file.Context.Response.Headers.CacheControl = "no-cache" });
        app.UseRouting();
        app.UseRateLimiter();
        app.UseRequestTimeouts();
        app.UseMiddleware<AccessControl>();
        HealthEndpoints.Map(app);
        app.MapOpenApi();
        app.MapScalarApiReference("/scalar", scalar => scalar.WithTitle("UniFace API").DisableDefaultFonts().WithNonce()
            .HideDeveloperTools().DisableAgent().DisableMcp().DisableTelemetry().HideClientButton()); // nothing that calls on a company
        app.MapMetrics();

        // One line a resource. Without a RequiredScope of its own, a GET takes the scope read and all else admin.
        RouteGroupBuilder v1 = app.MapGroup("/v1").AddEndpointFilter(QueryNumbers.Filter);
        RouteGroupBuilder faces = v1.MapGroup("").WithTags("faces");
        PhotoEndpoints.Map(faces);
        VerifyEndpoints.Map(faces);
        IdentifyEndpoints.Map(faces);
        PeopleEndpoints.Map(v1);
        GalleryEndpoints.Map(v1);
        LossEndpoints.Map(v1);
        RunEndpoints.Map(v1);
        ResultEndpoints.Map(v1);
    }

    private static void EnsureUrls(IReadOnlyList<string> urls)
    {
        foreach (string url in urls)
        {
            if (Address(url) is not { Scheme: "http", PathAndQuery: "/" })
            {
                throw new UniFaceException($"--urls {url}: expected an address such as {ServerOptions.DefaultUrl}.");
            }
        }
    }

    // Kestrel's own form, too: any host, e.g. http://*:8080.
    private static Uri? Address(string url) =>
        Uri.TryCreate(url.Replace("//*", "//0.0.0.0", StringComparison.Ordinal).Replace("//+", "//0.0.0.0", StringComparison.Ordinal), UriKind.Absolute, out Uri? address) ? address : null;
}
