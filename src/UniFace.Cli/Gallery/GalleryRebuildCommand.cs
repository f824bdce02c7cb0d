using UniFace.Gallery.Postgres;

namespace UniFace.Cli.Gallery;

/// <summary>`uniface gallery rebuild`: rebuilds the index from the database.</summary>
internal static class GalleryRebuildCommand
{
    private const string Description = """
        Rebuild the index file from the database, so that the gallery opens quickly.
        An encrypted gallery stores no index; for one, this command only reads every template.
        On PostgreSQL, --hnsw builds a graph of half-precision copies, also for a gallery that was created without one: enroll many people
        first and build the graph afterwards, which is faster than inserting into it. Give the server memory for it in the address, e.g.
        'Host=host;Database=database;Gallery=people;Options=-c maintenance_work_mem=8GB'.
        Example: uniface gallery rebuild people.gallery
        Example: uniface gallery rebuild 'postgres://user@host/database?gallery=people' --hnsw
        """;

    public static Command Create()
    {
        GalleryOptions options = new();
        HnswOptions defaults = new();
        CliOption<bool> hnsw = new("--hnsw", "On PostgreSQL: build an HNSW graph and search it instead of every template.");
        CliOption<int> neighbors = new("--hnsw-m", "Neighbors per template in the graph.") { Default = defaults.M, Range = (2, 100) };
        CliOption<int> effort = new("--hnsw-ef-construction", "Candidates per insertion, at least twice --hnsw-m.")
        {
            Default = defaults.EfConstruction,
            Range = (4, 1000),
        };
        IEnumerable<Symbol> parameters = [.. options.All, hnsw, neighbors, effort];
        return CliCommand.Create("rebuild", Description, parameters, async (parsed, stop) =>
        {
            await using StoredGallery gallery = await options.OpenAsync(parsed, stop);
            long rows;
            if (!parsed.GetValue(hnsw))
            {
                parsed.Require(neighbors, hnsw, "it is a parameter of an HNSW graph");
                parsed.Require(effort, hnsw, "it is a parameter of an HNSW graph");
                rows = await gallery.RebuildIndexAsync(stop);
            }
            else
            {
                PostgresGallery postgres = gallery as PostgresGallery
                    ?? throw new UniFaceException("--hnsw is for galleries on PostgreSQL; a gallery file is searched exactly.");
                HnswOptions graph = new() { M = parsed.GetValue(neighbors), EfConstruction = parsed.GetValue(effort) };
                rows = await postgres.BuildGraphAsync(graph, stop);
            }

            string unstored = gallery.Info.Encrypted ? ", not stored because the gallery is encrypted"
                : gallery.Damage.Count > 0 ? ", not stored because templates are damaged" : "";
            parsed.Print(
                new { gallery = gallery.Path, rows, stored = unstored.Length == 0 },
                $"{gallery.Path}: an index of {Plural.Format(rows, "row")}{unstored}");
            GalleryOptions.WarnOfDamage(gallery);
        });
    }
}
