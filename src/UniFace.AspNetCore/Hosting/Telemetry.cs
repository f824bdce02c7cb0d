using System.Collections;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace UniFace.AspNetCore.Hosting;

/// <summary>
/// /metrics for Prometheus; metrics and traces by OTLP if OTEL_EXPORTER_OTLP_ENDPOINT is set. OpenTelemetry's other variables
/// (OTEL_EXPORTER_OTLP_PROTOCOL, OTEL_SERVICE_NAME, OTEL_TRACES_SAMPLER, ...) work, too.
/// </summary>
internal static class Telemetry
{
    public static void AddTelemetry(this WebApplicationBuilder builder)
    {
        // OpenTelemetry reads the service's configuration, which has no other environment variables.
        builder.Configuration.AddInMemoryCollection(Environment.GetEnvironmentVariables().Cast<DictionaryEntry>()
            .Where(v => ((string)v.Key).StartsWith("OTEL_", StringComparison.Ordinal))
            .Select(v => KeyValuePair.Create((string)v.Key, (string?)v.Value)));
        string? version = typeof(Telemetry).Assembly.GetName().Version?.ToString(3);
        bool exported = builder.Configuration["OTEL_EXPORTER_OTLP_ENDPOINT"] is { Length: > 0 };
        builder.Services.AddSingleton<PrometheusExporter>();
        OpenTelemetryBuilder telemetry = builder.Services.AddOpenTelemetry()
            .ConfigureResource(resource => resource.AddService(builder.Configuration["OTEL_SERVICE_NAME"] ?? "uniface", serviceVersion: version))
            .WithMetrics(metrics =>
            {
                metrics.AddMeter(
                    ServerMetrics.Name,
                    "Microsoft.AspNetCore.Hosting",
                    "Microsoft.AspNetCore.Server.Kestrel",
                    "Microsoft.AspNetCore.RateLimiting",
                    "System.Runtime").AddReader(provider => provider.GetRequiredService<PrometheusExporter>().Reader);
                if (exported)
                {
                    metrics.AddOtlpExporter();
                }
            });
        if (exported)
        {
            telemetry.WithTracing(traces => traces.AddAspNetCoreInstrumentation().AddSource(ServerMetrics.Name, "Npgsql")
                .AddProcessor(new RedactPathProcessor()).AddOtlpExporter());
        }
    }

    public static void MapMetrics(this WebApplication app) =>
        app.MapGet("/metrics", (PrometheusExporter metrics) => TypedResults.Text(metrics.Scrape(), PrometheusExporter.ContentType))
            .RequireScope(Scope.Read).ExcludeFromDescription();

    // A path may hold a person's name; the route is enough.
    private sealed class RedactPathProcessor : BaseProcessor<Activity>
    {
        public override void OnEnd(Activity data)
        {
            data.SetTag("url.path", data.GetTagItem("http.route"));
            data.SetTag("url.query", null);
        }
    }
}
