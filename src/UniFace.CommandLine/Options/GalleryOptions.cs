using UniFace.Gallery.Postgres;
using UniFace.Gallery.Shards;

namespace UniFace.CommandLine.Options;

/// <summary>The gallery, its key and its model package, as the gallery commands take them.</summary>
internal sealed class GalleryOptions
{
    private readonly CliOption<string?> keyFile = new(
        "--key-file", "File with the gallery's key: 32 bytes, or 64 hexadecimal digits as written by 'openssl rand -hex 32'.", "FILE");

    private readonly CliOption<string?> keyVariable = new(
        "--key-env", "Environment variable with the gallery's key, 64 hexadecimal digits.", "NAME");

    /// <summary>GALLERY.</summary>
    public Argument<string> Gallery { get; } = new("GALLERY")
    {
        Description = "A gallery file, e.g. people.gallery; with its index in several processes, e.g. shards:4:people.gallery; or a gallery on PostgreSQL, " +
            "e.g. postgres://user@host/database?gallery=people.",
    };

    /// <summary>--package PACKAGE.</summary>
    public CliOption<string?> Package { get; } = new(
        "--package", "The gallery's model package, if it has moved since the gallery was created.", "PACKAGE");

    /// <summary>The options for the key.</summary>
    public IEnumerable<Symbol> Keys => [keyFile, keyVariable];

    /// <summary>The gallery and the options for its key.</summary>
    public IEnumerable<Symbol> All => [Gallery, .. Keys];

    /// <summary>Whether a key is given.</summary>
    public bool IsGiven(ParseResult parsed) => parsed.IsGiven(keyFile) || parsed.IsGiven(keyVariable);

    /// <summary>The given key, or null.</summary>
    public GalleryKey? Key(ParseResult parsed)
    {
        parsed.Exclude(keyFile, keyVariable);
        if (parsed.GetValue(keyFile) is string file)
        {
            WarnIfExposed(file);
            return GalleryKey.FromFile(file);
        }

        return parsed.GetValue(keyVariable) is string variable ? GalleryKey.FromEnvironment(variable) : null;
    }

    /// <summary>Opens the gallery.</summary>
    public Task<StoredGallery> OpenAsync(ParseResult parsed, CancellationToken stop)
    {
        string path = parsed.GetRequiredValue(Gallery);
        FaceGallery.Register(PostgresGallery.Provider);
        ShardedGalleries.Register();
        WarnIfExposed(path);
        return FaceGallery.OpenStoreAsync(path, Key(parsed), stop);
    }

    /// <summary>The path of a gallery that must be a file.</summary>
    /// <exception cref="UniFaceException">It is on PostgreSQL.</exception>
    public string RequireFile(ParseResult parsed)
    {
        string gallery = parsed.GetRequiredValue(Gallery);
        if (ShardedGalleries.IsAddress(gallery))
        {
            throw new UniFaceException($"{gallery}: give the gallery's file alone, {ShardedGalleries.Parse(gallery).File}.");
        }

        return PostgresAddress.IsAddress(gallery)
            ? throw new UniFaceException(
                $"{PostgresAddress.Parse(gallery)}: use the database's own tools for a gallery on PostgreSQL: pg_dump --schema=uniface to copy it, " +
                "pg_restore or psql to restore it, and an encrypted disk to encrypt it.")
            : gallery;
    }

    /// <summary>Opens the gallery's model. The caller disposes it.</summary>
    /// <exception cref="UniFaceException">The package is missing or is another model.</exception>
    public FaceRecognizer OpenModel(ParseResult parsed, VisionOptions vision, StoredGallery gallery)
    {
        string? given = parsed.GetValue(Package);
        string path = given ?? gallery.Info.Package
            ?? throw new UniFaceException($"{gallery.Path}: the gallery does not say where its model package is; give --package PACKAGE.");
        if (given is null && !Path.Exists(path))
        {
            throw new UniFaceException($"{path}: the gallery's model package no longer exists; give --package PACKAGE.");
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

    /// <summary>The number of people and templates, as text.</summary>
    public static string Size(GalleryCounts counts) => $"{Plural.Format(counts.People, "person")}, {Plural.Format(counts.Templates, "template")}";

    /// <summary>Names damaged templates on standard error.</summary>
    public static void WarnOfDamage(StoredGallery gallery)
    {
        foreach (string damage in gallery.Damage)
        {
            Output.Warn(Output.Name(damage));
        }
    }

    /// <summary>Warns if other users can read a file.</summary>
    public static void WarnIfExposed(string path) => Output.Warn(FileModes.FindWarning(path));
}
