using System.Collections;
using System.Diagnostics;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using UniFace.Server.Security;

namespace UniFace.Server.Http;

/// <summary>
/// /metrics for Prometheus; metrics and traces by OTLP where OTEL_EXPORTER_OTLP_ENDPOINT says where to. The other variables of OpenTelemetry's
/// specification (OTEL_EXPORTER_OTLP_PROTOCOL, OTEL_SERVICE_NAME, OTEL_TRACES_SAMPLER, ...) work, too.
/// </summary>
internal static class Telemetry
{
    private const string Prefix = "OTEL_", Endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT", ServiceName = "OTEL_SERVICE_NAME";

    /// <summary>Spans of the work within a request.</summary>
    public static ActivitySource Source { get; } = new(ServerMetrics.MeterName);

    public static void AddTelemetry(this WebApplicationBuilder builder)
    {
        // OpenTelemetry asks the service's configuration, which no other variable gets into.
        builder.Configuration.AddInMemoryCollection(Environment.GetEnvironmentVariables().Cast<DictionaryEntry>()
            .Where(v => ((string)v.Key).StartsWith(Prefix, StringComparison.Ordinal))
            .Select(v => KeyValuePair.Create((string)v.Key, (string?)v.Value)));
        bool exported = builder.Configuration[Endpoint] is { Length: > 0 };
        OpenTelemetryBuilder telemetry = builder.Services.AddOpenTelemetry()
            .ConfigureResource(resource => resource.AddService(builder.Configuration[ServiceName] ?? "uniface", serviceVersion: typeof(Telemetry).Assembly.GetName().Version?.ToString(3)))
            .WithMetrics(metrics =>
            {
                metrics.AddMeter(ServerMetrics.MeterName, "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel", "Microsoft.AspNetCore.RateLimiting", "System.Runtime").AddPrometheusExporter();
                if (exported)
                {
                    metrics.AddOtlpExporter();
                }
            });
        if (exported)
        {
            telemetry.WithTracing(traces => traces.AddAspNetCoreInstrumentation().AddSource(ServerMetrics.MeterName, "Npgsql").AddProcessor(new WithoutNames()).AddOtlpExporter());
        }
    }

    public static void MapMetrics(this WebApplication app) => app.MapPrometheusScrapingEndpoint("/metrics").WithMetadata(new RequiredScope(Scope.Read));

    // A path may hold a person's name; the route is enough.
    private sealed class WithoutNames : BaseProcessor<Activity>
    {
        public override void OnEnd(Activity data)
        {
            data.SetTag("url.path", data.GetTagItem("http.route"));
            data.SetTag("url.query", null);
        }
    }
}
