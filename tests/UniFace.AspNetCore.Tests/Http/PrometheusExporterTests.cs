using System.Diagnostics.Metrics;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using UniFace.AspNetCore.Hosting;

namespace UniFace.AspNetCore.Tests.Http;

/// <summary>/metrics is Prometheus' text format, with the names that dashboards of earlier versions use.</summary>
public class PrometheusExporterTests
{
    [Fact]
    public void Each_kind_of_instrument_is_written_with_its_unit_and_labels()
    {
        using Meter meter = new("test.meter");
        using PrometheusExporter exporter = new();
        using MeterProvider provider = Sdk.CreateMeterProviderBuilder()
            .ConfigureResource(resource => resource.Clear().AddAttributes([new("service.name", "a \"b\"")]))
            .AddMeter(meter.Name).AddReader(exporter.Reader).Build();
        meter.CreateCounter<int>("uniface.audit.lost", "{event}", "line one\nline two").Add(3, new KeyValuePair<string, object?>("was.late", true));
        meter.CreateUpDownCounter<long>("http.active").Add(-2);
        meter.CreateObservableGauge("heap.size", () => 1.5, "By");
        InstrumentAdvice<double> bounds = new() { HistogramBucketBoundaries = [0.5, 2] };
        Histogram<double> durations = meter.CreateHistogram("request.duration", "s", advice: bounds);
        durations.Record(0.25);
        durations.Record(4);

        Assert.Equal(
            """
            # TYPE target_info gauge
            # HELP target_info Target metadata
            target_info{service_name="a \"b\""} 1
            # TYPE heap_size_bytes gauge
            heap_size_bytes{otel_scope_name="test.meter"} 1.5
            # TYPE http_active gauge
            http_active{otel_scope_name="test.meter"} -2
            # TYPE request_duration_seconds histogram
            request_duration_seconds_bucket{otel_scope_name="test.meter",le="0.5"} 1
            request_duration_seconds_bucket{otel_scope_name="test.meter",le="2"} 1
            request_duration_seconds_bucket{otel_scope_name="test.meter",le="+Inf"} 2
            request_duration_seconds_sum{otel_scope_name="test.meter"} 4.25
            request_duration_seconds_count{otel_scope_name="test.meter"} 2
            # TYPE uniface_audit_lost_total counter
            # HELP uniface_audit_lost_total line one\nline two
            uniface_audit_lost_total{otel_scope_name="test.meter",was_late="true"} 3

            """,
            exporter.Scrape());

        // A counter goes on; it does not start at 0 after a scrape.
        durations.Record(1);
        Assert.Contains("request_duration_seconds_count{otel_scope_name=\"test.meter\"} 3\n", exporter.Scrape(), StringComparison.Ordinal);
    }
}
