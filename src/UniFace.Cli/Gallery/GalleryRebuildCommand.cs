namespace UniFace.Cli.Gallery;

/// <summary>`uniface gallery rebuild`: rebuilds the index from the database.</summary>
internal static class GalleryRebuildCommand
{
    private const string Description = """
        Rebuild the index file from the database, so that the gallery opens quickly.
        An encrypted gallery stores no index; for one, this command only reads every template.
        Example: uniface gallery rebuild people.gallery
        """;

    public static Command Create()
    {
        GalleryOptions options = new();
        return CliCommand.Create("rebuild", Description, options.All, async (parsed, stop) =>
        {
            await using StoredGallery gallery = await options.OpenAsync(parsed, stop);
            long rows = await gallery.RebuildIndexAsync(stop);
            string unstored = gallery.Info.Encrypted ? ", not stored because the gallery is encrypted"
                : gallery.Damage.Count > 0 ? ", not stored because templates are damaged" : "";
            parsed.Print(
                new { gallery = gallery.Path, rows, stored = unstored.Length == 0 },
                $"{gallery.Path}: an index of {Plural.Format(rows, "row")}{unstored}");
            GalleryOptions.WarnOfDamage(gallery);
        });
    }
}
