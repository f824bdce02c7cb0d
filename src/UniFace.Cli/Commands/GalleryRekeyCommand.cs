using System.CommandLine;
using UniFace.Gallery;
using UniFace.Gallery.Sqlite;

namespace UniFace.Cli.Commands;

/// <summary>uniface gallery rekey: another key for a gallery.</summary>
internal static class GalleryRekeyCommand
{
    public static Command Create()
    {
        Option<string?> newKey = new("--new-key-file") { Description = "File with the new key, as 'openssl rand -hex 32' makes one. The old one is given by --key-file or --key-env; a gallery without a key gets its first.", HelpName = "FILE" };
        Option<bool> noKey = new("--no-key") { Description = "Store the gallery in the clear from now on." };
        GalleryOptions options = new();
        Command command = new(
            "rekey",
            "Encrypt a gallery with another key: all records in one transaction, so that a kill leaves the old key or the new one; then the old bytes are erased from its files. Backups keep the key they were made with." +
            "\nExample: uniface gallery rekey people.gallery --key-file old.key --new-key-file new.key");
        options.AddTo(command);
        command.Add(newKey);
        command.Add(noKey);
        command.SetAction(async (parsed, stop) =>
        {
            string path = GalleryBackupCommand.EnsureFile(parsed.GetRequiredValue(options.Gallery));
            string? file = parsed.GetValue(newKey);
            if (file is null != parsed.GetValue(noKey))
            {
                throw new UniFaceException("give the new key by --new-key-file FILE, or --no-key to store the gallery in the clear.");
            }

            GalleryKey? key = file is null ? null : GalleryKey.FromFile(file);
            await using SqliteGallery gallery = await SqliteGallery.OpenAsync(path, options.Key(parsed), stop).ConfigureAwait(false);
            await gallery.RekeyAsync(key, stop).ConfigureAwait(false);
            if (parsed.GetValue(CommonOptions.Json))
            {
                Output.Json(new { gallery = path, encrypted = key is not null });
            }
            else
            {
                Console.WriteLine($"{path}: {(key is null ? "no longer encrypted" : $"encrypted with the key of {file}")}");
            }

            return ExitCode.Success;
        });
        return command;
    }
}
