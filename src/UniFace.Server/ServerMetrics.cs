using System.Diagnostics.Metrics;

namespace UniFace.Server;

/// <summary>What the service measures of itself beyond what ASP.NET Core measures already.</summary>
internal sealed class ServerMetrics
{
    /// <summary>Name of the meter.</summary>
    public const string MeterName = "UniFace.Server";

    private readonly Histogram<int> embedded, searched;
    private readonly Counter<int> auditLost;

    public ServerMetrics(IMeterFactory factory)
    {
        Meter meter = factory.Create(MeterName);
        InstrumentAdvice<int> sizes = new() { HistogramBucketBoundaries = [1, 2, 4, 8, 16, 32] };
        embedded = meter.CreateHistogram("uniface.embedding.batch", "{face}", "faces embedded in one go", advice: sizes);
        searched = meter.CreateHistogram("uniface.search.batch", "{probe}", "probes searched in one go", advice: sizes);
        auditLost = meter.CreateCounter<int>("uniface.audit.lost", "{event}", "events that the audit log could not take");
    }

    /// <summary>Faces were embedded in one go.</summary>
    public void Embedded(int faces) => embedded.Record(faces);

    /// <summary>Probes were searched in one go.</summary>
    public void Searched(int probes) => searched.Record(probes);

    /// <summary>Events could not be written to the audit log.</summary>
    public void AuditLost(int events) => auditLost.Add(events);
}
