using System.CommandLine;
using UniFace.Cli.Terminal;
using UniFace.Gallery.Sqlite;

namespace UniFace.Cli.Gallery;

/// <summary>uniface gallery restore: a gallery from a backup.</summary>
internal static class GalleryRestoreCommand
{
    public static Command Create()
    {
        Argument<string> file = new("FILE") { Description = "What 'uniface gallery backup' wrote." };
        Option<bool> overwrite = new("--overwrite") { Description = "Replace the content of the gallery if it is there; a service that has it open must open it again." };
        GalleryOptions options = new();
        Command command = new(
            "restore",
            "Make a gallery of a backup, after checking that the backup is whole. A kill leaves the gallery as it was, or restored.\nExample: uniface gallery restore backups/people-monday.gallery people.gallery");
        command.Add(file);
        command.Add(options.Gallery);
        command.Add(overwrite);
        options.AddKeyTo(command);
        command.SetAction(async (parsed, stop) =>
        {
            string backup = parsed.GetRequiredValue(file), path = GalleryBackupCommand.EnsureFile(parsed.GetRequiredValue(options.Gallery));
            await SqliteGallery.RestoreAsync(backup, path, options.Key(parsed), parsed.GetValue(overwrite), stop).ConfigureAwait(false);
            if (parsed.GetValue(CommonOptions.Json))
            {
                Output.Json(new { gallery = path, backup });
            }
            else
            {
                Console.WriteLine($"{path}: restored from {backup}");
            }

            return ExitCode.Success;
        });
        return command;
    }
}
