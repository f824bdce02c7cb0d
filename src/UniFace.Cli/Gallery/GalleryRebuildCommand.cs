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
        GraphOptions graph = new();
        CliOption<bool> hnsw = new("--hnsw", "On PostgreSQL: build an HNSW graph and search it instead of every template.");
        IEnumerable<Symbol> parameters = [.. options.All, hnsw, graph.Neighbors, graph.Candidates];
        return CliCommand.Create("rebuild", Description, parameters, async (parsed, stop) =>
        {
            await using StoredGallery gallery = await options.OpenAsync(parsed, stop);
            long rows;
            if (!parsed.GetValue(hnsw))
            {
                parsed.Require(graph.Neighbors, hnsw, "it is a parameter of an HNSW graph");
                parsed.Require(graph.Candidates, hnsw, "it is a parameter of an HNSW graph");
                rows = await gallery.RebuildIndexAsync(stop);
            }
            else
            {
                PostgresGallery postgres = gallery as PostgresGallery
                    ?? throw new UniFaceException("--hnsw is for galleries on PostgreSQL; a gallery file is searched exactly.");
                rows = await postgres.BuildGraphAsync(graph.Read(parsed), stop);
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
