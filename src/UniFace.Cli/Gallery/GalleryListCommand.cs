namespace UniFace.Cli.Gallery;

/// <summary>`uniface gallery list`: lists the enrolled people.</summary>
internal static class GalleryListCommand
{
    public static Command Create()
    {
        GalleryOptions options = new();
        string description = "Describe a gallery and list the enrolled people.\nExample: uniface gallery list people.gallery";
        return CliCommand.Create("list", description, options.All, async (parsed, stop) =>
        {
            await using StoredGallery gallery = await options.OpenAsync(parsed, stop);
            List<GalleryPerson> people = await gallery.ListAsync(stop).ToListAsync(stop);
            GalleryInfo info = gallery.Info;
            GalleryCounts counts = await gallery.CountAsync(stop);
            object json = new
            {
                gallery = gallery.Path,
                info.ContractId,
                info.EmbeddingSize,
                info.Scoring,
                info.KeepsCrops,
                info.Encrypted,
                info.Package,
                counts.Templates,
                people = people.Select(p => new { person = p.Name, p.Templates }),
            };
            parsed.Print(json, () =>
            {
                Output.Table(["person", "templates"], people.Select(person => (object[])[person.Name, person.Templates]));
                string score = info.Scoring == PersonScore.Best ? "best" : "mean";
                Console.WriteLine(
                    $"{GalleryOptions.Size(counts)}; model {info.Package ?? info.ContractId}; " +
                    $"a person's score is the {score} of their templates' scores{(info.KeepsCrops ? "; faces are kept" : "")}" +
                    $"{(info.Encrypted ? "; encrypted" : "")}");
            });
        });
    }
}
