using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.FileProviders;
using Scalar.AspNetCore;
using UniFace.AspNetCore.Endpoints;

namespace UniFace.AspNetCore.Hosting;

/// <summary>Builds the recognition service: REST API, web pages, health checks.</summary>
internal static class UniFaceServer
{
    private const int MaxConnections = 1024;

    /// <summary>Longest retention of people, in days.</summary>
    internal const int MaxRetentionDays = 36_500;

    /// <summary>Opens the model and the gallery, and builds the service around them. Run the result, or start and stop it.</summary>
    /// <param name="options">Model, gallery, addresses and limits.</param>
    /// <param name="addServices">Registers more services, such as UniFace.Studio's; null for none.</param>
    /// <param name="cancellationToken">Cancels the opening.</param>
    /// <exception cref="UniFaceException">Model or gallery cannot be opened, or an option is not valid.</exception>
    public static async Task<WebApplication> CreateAsync(
        ServerOptions options, Action<IServiceCollection>? addServices = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.Urls.FirstOrDefault(url => ParseAddress(url) is not { Scheme: "http", PathAndQuery: "/" }) is string wrong)
        {
            throw new UniFaceException($"{wrong}: expected an address to listen on, such as {ServerOptions.DefaultUrl}.");
        }

        if (options.RetentionDays is < 1 or > MaxRetentionDays)
        {
            throw new UniFaceException($"a retention of {options.RetentionDays} days: expected 1 to {MaxRetentionDays}, or none to keep people.");
        }

        DataFolder.Create(options.DataFolder);
        _ = new ApiKeyStore(options.DataFolder).All(); // an unreadable file stops the start instead of refusing every caller
        OpenedModel? opened = await OpenedModel.OpenAsync(options, cancellationToken);

        // Empty, so that no settings come from files or environment variables.
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore();
        builder.WebHost.UseUrls([.. options.Urls]);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = options.MaxRequestBytes;
            kestrel.Limits.MaxConcurrentConnections = MaxConnections;
            kestrel.Limits.MaxRequestHeadersTotalSize = 16 << 10;
            kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);

            // The rate of a poor mobile network. Slower clients would hold memory and places that others wait for.
            kestrel.Limits.MinRequestBodyDataRate = kestrel.Limits.MinResponseDataRate =
                new MinDataRate(bytesPerSecond: 8 << 10, gracePeriod: TimeSpan.FromSeconds(5));
        });
        builder.AddTelemetry();
        AddServices(builder.Services, options, opened);
        addServices?.Invoke(builder.Services);
        WebApplication app = builder.Build();
        Use(app);
        _ = app.Services.GetRequiredService<RecognizerSlot>(); // created now, so that it is disposed with the service even if never used
        return app;
    }

    /// <summary>True if one of the addresses can be reached from other machines.</summary>
    internal static bool IsOpenToOthers(IEnumerable<string> urls) => urls.Any(url => ParseAddress(url) is not { IsLoopback: true });

    /// <summary>The recognizer of a service; null if no model is loaded.</summary>
    internal static Recognizer? FindRecognizer(WebApplication app) => app.Services.GetRequiredService<RecognizerSlot>().Loaded;

    /// <summary>How the API writes JSON: enumerations as words-with-hyphens, numbers as numbers.</summary>
    internal static void ConfigureJson(Microsoft.AspNetCore.Http.Json.JsonOptions json)
    {
        json.SerializerOptions.Converters.Add(new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower));
        json.SerializerOptions.NumberHandling = JsonNumberHandling.Strict;
    }

    private static void AddServices(IServiceCollection services, ServerOptions options, OpenedModel? opened)
    {
        // ASP.NET Core's own lines contain paths, which may hold names, and whole exceptions. RequestLog and ProblemWriter log what may be logged;
        // a start that fails is reported by the caller, in one line.
        services.AddLogging(logging => logging
            .SetMinimumLevel(LogLevel.Information)
            .AddFilter("Microsoft", LogLevel.Warning)
            .AddFilter("Microsoft.AspNetCore.Diagnostics.ExceptionHandlerMiddleware", LogLevel.None)
            .AddFilter("Microsoft.Extensions.Hosting", LogLevel.None)
            .AddJsonConsole()
            .AddConsole(console => console.LogToStandardErrorThreshold = LogLevel.Trace));
        services.AddRouting();
        services.Configure<RouteHandlerOptions>(routes => routes.ThrowOnBadRequest = true); // names the parameter that cannot be read
        services.AddProblemDetails(problems => problems.CustomizeProblemDetails =
            problem => problem.ProblemDetails.Detail ??= ProblemWriter.DescribeStatus(problem.HttpContext.Response));
        services.AddExceptionHandler<ProblemWriter>();
        services.ConfigureHttpJsonOptions(ConfigureJson);
        services.AddRequestLimits(options);
        services.AddApiDescription();
        services.AddSingleton(options);
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton<RequestJson>();
        services.AddRecognition(_ => opened);
        services.AddSingleton(provider => ActivatorUtilities.CreateInstance<ApiKeyStore>(provider, options.DataFolder));
        services.AddSingleton<RefusalAuditor>();
    }

    private static void Use(WebApplication app)
    {
        IServiceModule[] modules = [.. app.Services.GetServices<IServiceModule>()];
        CompositeFileProvider pages = new([.. modules.Select(m => m.Pages), new ManifestEmbeddedFileProvider(typeof(UniFaceServer).Assembly, "wwwroot")]);
        app.UseResponseHeaders();
        app.UseMiddleware<RequestLog>();
        app.UseExceptionHandler(new ExceptionHandlerOptions { SuppressDiagnosticsCallback = _ => true });
        app.UseStatusCodePages();
        app.UseStrictText();
        app.UseDefaultFiles(new DefaultFilesOptions { FileProvider = pages });
        app.UseStaticFiles(new StaticFileOptions { FileProvider = pages, OnPrepareResponse = file => file.Context.Response.Headers.CacheControl = "no-cache" });
        app.UseRouting();
        app.UseRateLimiter();
        app.UseRequestTimeouts();
        app.UseMiddleware<AccessControl>();
        app.Use((context, next) => context.LimitRecognitionAsync(next));
        app.MapGet("/recognise.html", () => TypedResults.Redirect("/recognize.html", permanent: true)).ExcludeFromDescription(); // its earlier name
        HealthEndpoints.Map(app);
        app.MapOpenApi();

        // Everything that would call a third party is off.
        app.MapScalarApiReference("/scalar", scalar => scalar.WithTitle("UniFace API").DisableDefaultFonts().WithNonce()
            .HideDeveloperTools().DisableAgent().DisableMcp().DisableTelemetry().HideClientButton());
        app.MapMetrics();

        app.MapGroup("/v1").MapRecognition(app.Services);
    }

    // Also accepts Kestrel's form for any host, such as http://*:8080.
    private static Uri? ParseAddress(string url)
    {
        string absolute = url.Replace("//*", "//0.0.0.0", StringComparison.Ordinal).Replace("//+", "//0.0.0.0", StringComparison.Ordinal);
        return Uri.TryCreate(absolute, UriKind.Absolute, out Uri? address) ? address : null;
    }
}
