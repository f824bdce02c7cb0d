using System.CommandLine;
using UniFace.Gallery.Sqlite;

namespace UniFace.Cli.Commands;

/// <summary>What the commands on galleries share: the file and its key.</summary>
internal sealed class GalleryOptions
{
    /// <summary>GALLERY.</summary>
    public Argument<string> Gallery { get; } = new("GALLERY") { Description = "The gallery's file, e.g. people.gallery." };

    /// <summary>--key-file FILE.</summary>
    public Option<string?> KeyFile { get; } = new("--key-file") { Description = "File with the gallery's key: 32 bytes or their 64 hexadecimal digits, as 'openssl rand -hex 32' makes them.", HelpName = "FILE" };

    /// <summary>--key-env NAME.</summary>
    public Option<string?> KeyVariable { get; } = new("--key-env") { Description = "Environment variable with the gallery's key, 64 hexadecimal digits.", HelpName = "NAME" };

    /// <summary>Adds the gallery, and the options of its key.</summary>
    public void AddTo(Command command)
    {
        command.Add(Gallery);
        AddKeyTo(command);
    }

    /// <summary>Adds the options of the key.</summary>
    public void AddKeyTo(Command command)
    {
        command.Add(KeyFile);
        command.Add(KeyVariable);
    }

    /// <summary>The key given; null for none.</summary>
    public GalleryKey? Key(ParseResult parsed) => (parsed.GetValue(KeyFile), parsed.GetValue(KeyVariable)) switch
    {
        (null, null) => null,
        (string file, null) => GalleryKey.FromFile(file),
        (null, string variable) => GalleryKey.FromEnvironment(variable),
        _ => throw new UniFaceException("--key-file and --key-env were both given: leave one out."),
    };

    /// <summary>Opens the gallery.</summary>
    public Task<SqliteGallery> OpenAsync(ParseResult parsed, CancellationToken stop) => SqliteGallery.OpenAsync(parsed.GetRequiredValue(Gallery), Key(parsed), stop);
}
