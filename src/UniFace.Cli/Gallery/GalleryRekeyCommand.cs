namespace UniFace.Cli.Gallery;

/// <summary>`uniface gallery rekey`: changes a gallery's encryption key.</summary>
internal static class GalleryRekeyCommand
{
    private const string Description = """
        Encrypt a gallery with another key. Writes all records in one transaction, then erases the old bytes from the files. If it is killed, the gallery
        has either the old or the new key. Backups keep the key they were made with.
        Example: uniface gallery rekey people.gallery --key-file old.key --new-key-file new.key
        """;

    public static Command Create()
    {
        CliOption<string?> newKey = new(
            "--new-key-file",
            "File with the new key, as written by 'openssl rand -hex 32'. Give the old key with --key-file or --key-env, unless the gallery has none.",
            "FILE");
        CliOption<bool> noKey = new("--no-key", "Store the gallery unencrypted from now on.");
        GalleryOptions options = new();
        return CliCommand.Create("rekey", Description, [.. options.All, newKey, noKey], async (parsed, stop) =>
        {
            string path = options.RequireFile(parsed);
            string? file = parsed.GetValue(newKey);
            if (file is null != parsed.GetValue(noKey))
            {
                throw new UniFaceException("Give the new key with --new-key-file FILE, or --no-key to store the gallery unencrypted.");
            }

            GalleryKey? key = file is null ? null : GalleryKey.FromFile(file);
            await using SqliteGallery gallery = await SqliteGallery.OpenAsync(path, options.Key(parsed), stop);
            await gallery.RekeyAsync(key, stop);
            parsed.Print(
                new { gallery = path, encrypted = key is not null },
                $"{path}: {(key is null ? "no longer encrypted" : $"encrypted with the key in {file}")}");
        });
    }
}
