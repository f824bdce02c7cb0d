using UniFace.Gallery.Postgres;

namespace UniFace.CommandLine.Options;

/// <summary>The options of an HNSW graph on PostgreSQL.</summary>
internal sealed class GraphOptions
{
    private static readonly HnswOptions Defaults = new();

    /// <summary>--hnsw-m N.</summary>
    public CliOption<int> Neighbors { get; } = new("--hnsw-m", "Neighbors per template in the graph.") { Default = Defaults.M, Range = (2, 100) };

    /// <summary>--hnsw-ef-construction N.</summary>
    public CliOption<int> Candidates { get; } = new("--hnsw-ef-construction", "Candidates per insertion, at least twice --hnsw-m.")
    {
        Default = Defaults.EfConstruction,
        Range = (4, 1000),
    };

    /// <summary>The graph on the command line.</summary>
    public HnswOptions Read(ParseResult parsed) => new() { M = parsed.GetValue(Neighbors), EfConstruction = parsed.GetValue(Candidates) };
}
