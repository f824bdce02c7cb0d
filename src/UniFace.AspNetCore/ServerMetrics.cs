using System.Diagnostics.Metrics;

namespace UniFace.AspNetCore;

/// <summary>The service's own metrics and spans, beside those of ASP.NET Core.</summary>
internal sealed class ServerMetrics
{
    /// <summary>Name of the meter and of the activity source.</summary>
    public const string Name = "UniFace.Server";

    private readonly Histogram<int> embedded, searched;
    private readonly Counter<int> auditLost;

    public ServerMetrics(IMeterFactory factory)
    {
        Meter meter = factory.Create(Name);
        InstrumentAdvice<int> sizes = new() { HistogramBucketBoundaries = [1, 2, 4, 8, 16, 32] };
        embedded = meter.CreateHistogram("uniface.embedding.batch", "{face}", "faces embedded in one batch", advice: sizes);
        searched = meter.CreateHistogram("uniface.search.batch", "{probe}", "probes searched in one batch", advice: sizes);
        auditLost = meter.CreateCounter<int>("uniface.audit.lost", "{event}", "events that could not be written to the audit log");
    }

    /// <summary>Spans of the work within a request.</summary>
    public static ActivitySource Spans { get; } = new(Name);

    /// <summary>Records the size of an embedding batch.</summary>
    public void Embedded(int faces) => embedded.Record(faces);

    /// <summary>Records the size of a search batch.</summary>
    public void Searched(int probes) => searched.Record(probes);

    /// <summary>Counts events that could not be written to the audit log.</summary>
    public void AuditLost(int events) => auditLost.Add(events);
}
