using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;

namespace UniFace.AspNetCore.Hosting;

/// <summary>
/// Writes OpenTelemetry's metrics in Prometheus' text format, version 0.0.4. OpenTelemetry's own exporter for Prometheus has no stable version;
/// names, labels and values are as it writes them.
/// </summary>
internal sealed class PrometheusExporter : BaseExporter<Metric>
{
    /// <summary>Media type of the text.</summary>
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    private readonly Lock scraping = new();
    private string text = "";

    /// <summary>Creates an exporter and the reader that fills it when <see cref="Scrape"/> asks.</summary>
    public PrometheusExporter() => Reader = new BaseExportingMetricReader(this);

    /// <summary>Add it to the meter provider.</summary>
    public BaseExportingMetricReader Reader { get; }

    /// <summary>The metrics as they are now.</summary>
    public string Scrape()
    {
        lock (scraping)
        {
            Reader.Collect();
            return text;
        }
    }

    /// <summary>Called by the reader during <see cref="Scrape"/>.</summary>
    public override ExportResult Export(in Batch<Metric> batch)
    {
        List<Metric> metrics = [];
        foreach (Metric metric in batch)
        {
            metrics.Add(metric);
        }

        StringBuilder lines = new();
        lines.Append("# TYPE target_info gauge\n# HELP target_info Target metadata\n");
        Resource resource = ParentProvider.GetResource();
        Sample(lines, "target_info", resource.Attributes.Select(a => KeyValuePair.Create(a.Key, (object?)a.Value)), "1");
        foreach ((string name, Metric metric) in metrics.Select(m => (Name(m), m)).OrderBy(m => m.Item1, StringComparer.Ordinal))
        {
            lines.Append(CultureInfo.InvariantCulture, $"# TYPE {name} {TypeName(metric.MetricType)}\n");
            if (metric.Description is { Length: > 0 } description)
            {
                lines.Append(CultureInfo.InvariantCulture, $"# HELP {name} {Escape(description, quotes: false)}\n");
            }

            foreach (ref readonly MetricPoint point in metric.GetMetricPoints())
            {
                Write(lines, name, metric, point);
            }
        }

        text = lines.ToString();
        return ExportResult.Success;
    }

    private static void Write(StringBuilder lines, string name, Metric metric, in MetricPoint point)
    {
        List<KeyValuePair<string, object?>> labels = [new("otel_scope_name", metric.MeterName)];
        foreach (KeyValuePair<string, object?> tag in point.Tags)
        {
            labels.Add(tag);
        }

        if (metric.MetricType != MetricType.Histogram)
        {
            Sample(lines, name, labels, Value(metric.MetricType, point));
            return;
        }

        long count = 0;
        foreach (HistogramBucket bucket in point.GetHistogramBuckets())
        {
            count += bucket.BucketCount;
            Sample(lines, name + "_bucket", [.. labels, new("le", Number(bucket.ExplicitBound))], Number(count));
        }

        Sample(lines, name + "_sum", labels, Number(point.GetHistogramSum()));
        Sample(lines, name + "_count", labels, Number(point.GetHistogramCount()));
    }

    private static void Sample(StringBuilder lines, string name, IEnumerable<KeyValuePair<string, object?>> labels, string value) =>
        lines.Append(name).Append('{').AppendJoin(',', labels.Select(l => $"{Sanitize(l.Key)}=\"{Escape(LabelValue(l.Value), quotes: true)}\""))
            .Append("} ").Append(value).Append('\n');

    private static string TypeName(MetricType type) => type switch
    {
        MetricType.LongSum or MetricType.DoubleSum => "counter",
        MetricType.Histogram => "histogram",
        _ => "gauge",
    };

    private static string Value(MetricType type, in MetricPoint point) => type switch
    {
        MetricType.LongSum or MetricType.LongSumNonMonotonic => Number(point.GetSumLong()),
        MetricType.DoubleSum or MetricType.DoubleSumNonMonotonic => Number(point.GetSumDouble()),
        MetricType.LongGauge => Number(point.GetGaugeLastValueLong()),
        _ => Number(point.GetGaugeLastValueDouble()),
    };

    // The unit and then _total for a counter are suffixes, unless the name has them.
    private static string Name(Metric metric)
    {
        string name = Sanitize(metric.Name);
        string unit = metric.Unit switch
        {
            null or "" or "1" or ['{', ..] => "",
            "s" => "_seconds",
            "ms" => "_milliseconds",
            "By" => "_bytes",
            _ => "_" + Sanitize(metric.Unit),
        };
        name = name.EndsWith(unit, StringComparison.Ordinal) ? name : name + unit;
        return TypeName(metric.MetricType) != "counter" || name.EndsWith("_total", StringComparison.Ordinal) ? name : name + "_total";
    }

    private static string Sanitize(string name) => string.Concat(name.Select(c => char.IsAsciiLetterOrDigit(c) ? c : '_'));

    private static string LabelValue(object? value) =>
        value is bool flag ? (flag ? "true" : "false") : Convert.ToString(value, CultureInfo.InvariantCulture) ?? "";

    private static string Escape(string value, bool quotes)
    {
        value = value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
        return quotes ? value.Replace("\"", "\\\"", StringComparison.Ordinal) : value;
    }

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Number(double value) => double.IsPositiveInfinity(value) ? "+Inf"
        : double.IsNegativeInfinity(value) ? "-Inf" : value.ToString("R", CultureInfo.InvariantCulture);
}
