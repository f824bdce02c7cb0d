using System.CommandLine;
using UniFace.Gallery.Postgres;
using UniFace.Gallery.Sqlite;

namespace UniFace.Cli.Commands;

/// <summary>uniface gallery backup: a consistent copy of a gallery that is in use.</summary>
internal static class GalleryBackupCommand
{
    public static Command Create()
    {
        Argument<string> file = new("FILE") { Description = "The copy to write; it is a gallery file itself." };
        Option<bool> overwrite = new("--overwrite") { Description = "Replace the file if it is there." };
        GalleryOptions options = new();
        Command command = new(
            "backup",
            "Copy a gallery file while it is searched and enrolled into, and check that the copy is whole. An encrypted gallery stays encrypted; keep its key apart from the copy. Galleries on PostgreSQL are copied by pg_dump." +
            "\nExample: uniface gallery backup people.gallery backups/people-monday.gallery");
        command.Add(options.Gallery);
        command.Add(file);
        command.Add(overwrite);
        options.AddKeyTo(command);
        command.SetAction(async (parsed, stop) =>
        {
            string path = EnsureFile(parsed.GetRequiredValue(options.Gallery)), target = parsed.GetRequiredValue(file);
            await using SqliteGallery gallery = await SqliteGallery.OpenAsync(path, options.Key(parsed), stop).ConfigureAwait(false);
            await gallery.BackupAsync(target, parsed.GetValue(overwrite), stop).ConfigureAwait(false);
            if (parsed.GetValue(CommonOptions.Json))
            {
                Output.Json(new { gallery = path, backup = target, bytes = new FileInfo(target).Length, encrypted = gallery.Info.Encrypted });
            }
            else
            {
                Console.WriteLine($"{target}: a whole copy of {path}{(gallery.Info.Encrypted ? ", encrypted with its key" : "")}");
            }

            return ExitCode.Success;
        });
        return command;
    }

    /// <summary>Refuses a gallery on PostgreSQL.</summary>
    public static string EnsureFile(string gallery) => PostgresAddress.IsAddress(gallery)
        ? throw new UniFaceException($"{PostgresAddress.Parse(gallery)}: a gallery on PostgreSQL is copied and restored by the database's own tools: pg_dump --schema=uniface, and pg_restore or psql; its disk is what is encrypted.")
        : gallery;
}
