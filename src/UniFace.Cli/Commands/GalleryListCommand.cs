using System.CommandLine;
using System.Globalization;
using Spectre.Console;
using UniFace.Gallery;

namespace UniFace.Cli.Commands;

/// <summary>uniface gallery list: who is enrolled.</summary>
internal static class GalleryListCommand
{
    public static Command Create()
    {
        GalleryOptions options = new();
        Command command = new("list", "Say what a gallery is and who is enrolled.\nExample: uniface gallery list people.gallery");
        options.AddTo(command);
        command.SetAction(async (parsed, stop) =>
        {
            await using IStoredGallery gallery = await options.OpenAsync(parsed, stop).ConfigureAwait(false);
            List<GalleryPerson> people = await gallery.ListAsync(stop).ToListAsync(stop).ConfigureAwait(false);
            GalleryInfo info = gallery.Info;
            long templates = people.Sum(p => (long)p.Templates);
            if (parsed.GetValue(CommonOptions.Json))
            {
                Output.Json(new
                {
                    gallery = gallery.Path,
                    contractId = info.ContractId,
                    embeddingSize = info.EmbeddingSize,
                    scoring = info.Scoring,
                    keepsCrops = info.KeepsCrops,
                    encrypted = info.Encrypted,
                    package = info.Package,
                    templates,
                    people = people.Select(p => new { person = p.Name, templates = p.Templates }),
                });
                return ExitCode.Success;
            }

            Table table = new Table().Border(TableBorder.Rounded).AddColumns("person", "templates");
            foreach (GalleryPerson person in people)
            {
                table.AddRow(Output.Cell(person.Name), person.Templates.ToString(CultureInfo.InvariantCulture));
            }

            AnsiConsole.Write(table);
            Console.WriteLine($"{Plural.Format(people.Count, "person")}, {Plural.Format(templates, "template")}; model {info.Package ?? info.ContractId}; a person's score is the {(info.Scoring == PersonScore.Best ? "best" : "mean")} of the templates'{(info.KeepsCrops ? "; faces are kept" : "")}{(info.Encrypted ? "; encrypted" : "")}");
            return ExitCode.Success;
        });
        return command;
    }
}
