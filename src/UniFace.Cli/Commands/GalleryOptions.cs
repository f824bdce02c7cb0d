using System.CommandLine;
using UniFace.Gallery;
using UniFace.Gallery.Sqlite;
using UniFace.IO;
using UniFace.Vision;

namespace UniFace.Cli.Commands;

/// <summary>What the commands on galleries share: the gallery and its key.</summary>
internal sealed class GalleryOptions
{
    /// <summary>GALLERY.</summary>
    public Argument<string> Gallery { get; } = new("GALLERY") { Description = "The gallery's file, e.g. people.gallery; or a gallery on PostgreSQL, e.g. postgres://user@host/database?gallery=people." };

    /// <summary>--key-file FILE.</summary>
    public Option<string?> KeyFile { get; } = new("--key-file") { Description = "File with the gallery's key: 32 bytes or their 64 hexadecimal digits, as 'openssl rand -hex 32' makes them.", HelpName = "FILE" };

    /// <summary>--key-env NAME.</summary>
    public Option<string?> KeyVariable { get; } = new("--key-env") { Description = "Environment variable with the gallery's key, 64 hexadecimal digits.", HelpName = "NAME" };

    /// <summary>--package PACKAGE.</summary>
    public Option<string?> Package { get; } = new("--package") { Description = "The gallery's model package, where it is no longer where it was when the gallery was created.", HelpName = "PACKAGE" };

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
        (string file, null) => GalleryKey.FromFile(Warned(file)),
        (null, string variable) => GalleryKey.FromEnvironment(variable),
        _ => throw new UniFaceException("--key-file and --key-env were both given: leave one out."),
    };

    /// <summary>Opens the gallery's model; refuses another one. The caller disposes it.</summary>
    public FaceRecognizer OpenModel(ParseResult parsed, VisionOptions vision, IStoredGallery gallery)
    {
        string? given = parsed.GetValue(Package);
        string path = given ?? gallery.Info.Package
            ?? throw new UniFaceException($"{gallery.Path}: the gallery does not say where its model package is; give --package PACKAGE.");
        if (given is null && !Path.Exists(path))
        {
            throw new UniFaceException($"{path}: the gallery's model package is not there any more; give --package PACKAGE.");
        }

        FaceRecognizer recognizer = vision.Open(parsed, path);
        try
        {
            recognizer.RequireContract(gallery.Info.ContractId, $"the gallery {gallery.Path}");
            return recognizer;
        }
        catch
        {
            recognizer.Dispose();
            throw;
        }
    }

    /// <summary>Says on standard error which templates were found damaged.</summary>
    public static void WarnOfDamage(IStoredGallery gallery)
    {
        foreach (string damage in gallery.Damage)
        {
            Console.Error.WriteLine("warning: " + Output.Name(damage));
        }
    }

    /// <summary>Opens the gallery.</summary>
    public Task<IStoredGallery> OpenAsync(ParseResult parsed, CancellationToken stop) =>
        Galleries.OpenAsync(Warned(parsed.GetRequiredValue(Gallery)), Key(parsed), stop);

    /// <summary>The path, after a warning on standard error if it is a file that is open to other users.</summary>
    public static string Warned(string path)
    {
        if (FileModes.Warning(path) is string warning)
        {
            Console.Error.WriteLine(warning);
        }

        return path;
    }
}
