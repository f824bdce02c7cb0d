namespace UniFace.Cli.Gallery;

/// <summary>`uniface gallery verify-integrity`: checks a gallery for damage.</summary>
internal static class GalleryVerifyIntegrityCommand
{
    private const string Description = """
        Check a gallery for damage. Checks the pages of its database, every template, name and face, and whether the index agrees with the database.
        Exit code 1: damage was found.
        Example: uniface gallery verify-integrity people.gallery
        """;

    public static Command Create()
    {
        GalleryOptions options = new();
        return CliCommand.Create("verify-integrity", Description, options.All, async (parsed, stop) =>
        {
            await using StoredGallery gallery = await options.OpenAsync(parsed, stop);
            IReadOnlyList<string> problems = await gallery.VerifyIntegrityAsync(cancellationToken: stop);
            GalleryCounts counts = await gallery.CountAsync(stop);
            bool intact = problems.Count == 0;
            parsed.Print(new { gallery = gallery.Path, whole = intact, counts.People, counts.Templates, problems }, () =>
            {
                problems.ToList().ForEach(problem => Console.WriteLine(Output.Name(problem)));
                Console.WriteLine($"{gallery.Path}: {(intact ? "intact" : "DAMAGED")}, {GalleryOptions.Size(counts)}");
            });
            return intact;
        });
    }
}
