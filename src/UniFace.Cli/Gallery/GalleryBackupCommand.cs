namespace UniFace.Cli.Gallery;

/// <summary>`uniface gallery backup`: copies a gallery that is in use.</summary>
internal static class GalleryBackupCommand
{
    private const string Description = """
        Copy a gallery file, even while it is in use, and check the copy. The copy of an encrypted gallery is encrypted with the
        same key; store the key elsewhere. Use pg_dump for galleries on PostgreSQL.
        Example: uniface gallery backup people.gallery backups/people-monday.gallery
        """;

    public static Command Create()
    {
        Argument<string> file = new("FILE") { Description = "The copy to write, which is itself a gallery file." };
        CliOption<bool> overwrite = new("--overwrite", "Replace an existing file.");
        GalleryOptions options = new();
        return CliCommand.Create("backup", Description, [options.Gallery, file, overwrite, .. options.Keys], async (parsed, stop) =>
        {
            string path = options.RequireFile(parsed), target = parsed.GetRequiredValue(file);
            await using SqliteGallery gallery = await SqliteGallery.OpenAsync(path, options.Key(parsed), stop);
            await gallery.BackupAsync(target, parsed.GetValue(overwrite), stop);
            bool encrypted = gallery.Info.Encrypted;
            parsed.Print(
                new { gallery = path, backup = target, bytes = new FileInfo(target).Length, encrypted },
                $"{target}: a complete copy of {path}{(encrypted ? ", encrypted with the same key" : "")}");
        });
    }
}
