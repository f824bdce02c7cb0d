using System.Diagnostics.Metrics;

namespace UniFace.AspNetCore;

/// <summary>The service's own metrics and spans, in addition to those of ASP.NET Core.</summary>
internal sealed class ServerMetrics
{
    /// <summary>Name of the meter and of the activity source.</summary>
    public const string Name = "UniFace.Server";

    public ServerMetrics(IMeterFactory factory)
    {
        Meter meter = factory.Create(Name);
        InstrumentAdvice<int> sizes = new() { HistogramBucketBoundaries = [1, 2, 4, 8, 16, 32] };
        EmbeddingBatch = meter.CreateHistogram("uniface.embedding.batch", "{face}", "faces embedded in one batch", advice: sizes);
        SearchBatch = meter.CreateHistogram("uniface.search.batch", "{probe}", "probes searched in one batch", advice: sizes);
        AuditLost = meter.CreateCounter<int>("uniface.audit.lost", "{event}", "events that could not be written to the audit log");
    }

    /// <summary>Spans of the work within a request.</summary>
    public static ActivitySource Spans { get; } = new(Name);

    /// <summary>Faces embedded in one batch.</summary>
    public Histogram<int> EmbeddingBatch { get; }

    /// <summary>Probes searched in one batch.</summary>
    public Histogram<int> SearchBatch { get; }

    /// <summary>Events that could not be written to the audit log.</summary>
    public Counter<int> AuditLost { get; }
}
