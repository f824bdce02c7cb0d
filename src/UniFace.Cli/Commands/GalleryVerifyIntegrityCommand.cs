using System.CommandLine;
using UniFace.Gallery;

namespace UniFace.Cli.Commands;

/// <summary>uniface gallery verify-integrity: is the gallery whole?</summary>
internal static class GalleryVerifyIntegrityCommand
{
    public static Command Create()
    {
        GalleryOptions options = new();
        Command command = new(
            "verify-integrity",
            "Check a gallery: the database's pages, every template, name and face, and whether the index beside it holds what the database holds. Exit code 1: something is wrong." +
            "\nExample: uniface gallery verify-integrity people.gallery");
        options.AddTo(command);
        command.SetAction(async (parsed, stop) =>
        {
            await using IStoredGallery gallery = await options.OpenAsync(parsed, stop).ConfigureAwait(false);
            IReadOnlyList<string> problems = await gallery.VerifyIntegrityAsync(cancellationToken: stop).ConfigureAwait(false);
            GalleryCounts counts = await gallery.CountAsync(stop).ConfigureAwait(false);
            if (parsed.GetValue(CommonOptions.Json))
            {
                Output.Json(new { gallery = gallery.Path, whole = problems.Count == 0, people = counts.People, templates = counts.Templates, problems });
            }
            else
            {
                foreach (string problem in problems)
                {
                    Console.WriteLine(Output.Name(problem));
                }

                Console.WriteLine($"{gallery.Path}: {(problems.Count == 0 ? "whole" : "NOT whole")}, {Plural.Format(counts.People, "person")}, {Plural.Format(counts.Templates, "template")}");
            }

            return problems.Count == 0 ? ExitCode.Success : ExitCode.Negative;
        });
        return command;
    }
}
