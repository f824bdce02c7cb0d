namespace UniFace.Cli.Gallery;

/// <summary>`uniface gallery restore`: restores a gallery from a backup.</summary>
internal static class GalleryRestoreCommand
{
    private const string Description = """
        Restore a gallery from a backup, after checking the backup. If it is killed, the gallery is either unchanged or restored.
        Example: uniface gallery restore backups/people-monday.gallery people.gallery
        """;

    public static Command Create()
    {
        Argument<string> file = new("FILE") { Description = "A file written by 'uniface gallery backup'." };
        CliOption<bool> overwrite = new("--overwrite", "Replace an existing gallery. A service that has it open must reopen it.");
        GalleryOptions options = new();
        return CliCommand.Create("restore", Description, [file, options.Gallery, overwrite, .. options.Keys], async (parsed, stop) =>
        {
            string backup = parsed.GetRequiredValue(file), path = options.RequireFile(parsed);
            await SqliteGallery.RestoreAsync(backup, path, options.Key(parsed), parsed.GetValue(overwrite), stop);
            parsed.Print(new { gallery = path, backup }, $"{path}: restored from {backup}");
        });
    }
}
