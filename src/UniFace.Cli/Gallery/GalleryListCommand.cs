using Spectre.Console;
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
            await using IStoredGallery gallery = await options.OpenAsync(parsed, stop);
            List<GalleryPerson> people = await gallery.ListAsync(stop).ToListAsync(stop);
            GalleryInfo info = gallery.Info;
            long templates = people.Sum(p => (long)p.Templates);
            object json = new
            {
                gallery = gallery.Path,
                info.ContractId,
                info.EmbeddingSize,
                info.Scoring,
                info.KeepsCrops,
                info.Encrypted,
                info.Package,
                templates,
                people = people.Select(p => new { person = p.Name, p.Templates }),
            };
            parsed.Print(json, () =>
            {
                Table table = Output.Table("person", "templates");
                people.ForEach(person => table.AddRow(Output.Cell(person.Name), $"{person.Templates}"));
                AnsiConsole.Write(table);
                string score = info.Scoring == PersonScore.Best ? "best" : "mean";
                Console.WriteLine(
                    $"{Plural.Format(people.Count, "person")}, {Plural.Format(templates, "template")}; model {info.Package ?? info.ContractId}; " +
                    $"a person's score is the {score} of their templates' scores{(info.KeepsCrops ? "; faces are kept" : "")}" +
                    $"{(info.Encrypted ? "; encrypted" : "")}");
            });
            return ExitCode.Success;
        });
    }
}
