using UniFace.Gallery.Postgres;

namespace UniFace.Benchmarks.Galleries;

/// <summary>What a benchmark asks of a gallery's tables directly.</summary>
internal static class GallerySql
{
    /// <summary>Names of people whom the writers of a benchmark enroll begin with this.</summary>
    public const string WriterPrefix = "w";

    /// <summary>Deletes the people whom writers enrolled. Unlike a removal, this does not rewrite the tables.</summary>
    public static Task RemoveWritersAsync(PostgresGallery gallery, CancellationToken stop) => gallery.Store.Database.WriteAsync(
        async session =>
        {
            string people = $"SELECT id FROM {gallery.Store.People} WHERE name >= '{WriterPrefix}'";
            await session.RunAsync($"DELETE FROM {gallery.Store.Templates} WHERE person IN ({people})");
            await session.RunAsync($"DELETE FROM {gallery.Store.People} WHERE name >= '{WriterPrefix}'");
        },
        stop);

    /// <summary>Templates per person whose name begins with a prefix.</summary>
    public static async Task<Dictionary<string, int>> CountTemplatesAsync(PostgresGallery gallery, string prefix, CancellationToken stop) =>
        (await gallery.Store.Database.ReadAsync(
            session => session.QueryAsync(
                $"SELECT p.name, count(t.id)::int FROM {gallery.Store.People} p LEFT JOIN {gallery.Store.Templates} t ON t.person = p.id " +
                "WHERE starts_with(p.name, $1) GROUP BY p.name",
                r => (r.GetString(0), r.GetInt32(1)),
                prefix),
            stop).ConfigureAwait(false)).ToDictionary();

    /// <summary>Bytes of the table with its out-of-line values; of the other indexes and the people; of the graph.</summary>
    public static async Task<(double Table, double Keys, double Graph)> SizesAsync(PostgresGallery gallery, CancellationToken stop) =>
        (await gallery.Store.Database.ReadAsync(
            session => session.QueryAsync(
                $"SELECT pg_table_size('{gallery.Store.Templates}')::float8, pg_total_relation_size('{gallery.Store.People}')::float8 + " +
                $"pg_indexes_size('{gallery.Store.Templates}') - coalesce(pg_relation_size(to_regclass('{gallery.Store.Graph}')), 0), " +
                $"coalesce(pg_relation_size(to_regclass('{gallery.Store.Graph}')), 0)::float8",
                r => (r.GetDouble(0), r.GetDouble(1), r.GetDouble(2))),
            stop).ConfigureAwait(false))[0];
}
