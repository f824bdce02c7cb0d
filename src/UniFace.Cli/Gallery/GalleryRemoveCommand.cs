using System.CommandLine;
using UniFace.Cli.Terminal;
using UniFace.Gallery;

namespace UniFace.Cli.Gallery;

/// <summary>uniface gallery remove: takes people out, with nothing left of them.</summary>
internal static class GalleryRemoveCommand
{
    public static Command Create()
    {
        Argument<string[]> people = new("PERSON") { Description = "Names of the people.", Arity = ArgumentArity.OneOrMore };
        GalleryOptions options = new();
        Command command = new("remove", "Remove people with their templates and faces. No bytes of them are left in the gallery's files (on PostgreSQL: in its tables; the server's log and backups are the server's). Exit code 1: one of them was not enrolled.\nExample: uniface gallery remove people.gallery Ann");
        command.Add(options.Gallery);
        command.Add(people);
        options.AddKeyTo(command);
        command.SetAction(async (parsed, stop) =>
        {
            await using IStoredGallery gallery = await options.OpenAsync(parsed, stop).ConfigureAwait(false);
            List<string> removed = [], missing = [];
            foreach (string person in parsed.GetRequiredValue(people).Distinct())
            {
                (await gallery.RemoveAsync(person, stop).ConfigureAwait(false) ? removed : missing).Add(person);
            }

            if (parsed.GetValue(CommonOptions.Json))
            {
                Output.Json(new { gallery = gallery.Path, removed, notEnrolled = missing });
            }
            else
            {
                removed.ForEach(p => Console.WriteLine($"removed: {Output.Name(p)}"));
                missing.ForEach(p => Console.WriteLine($"not enrolled: {Output.Name(p)}"));
            }

            return missing.Count == 0 ? ExitCode.Success : ExitCode.Negative;
        });
        return command;
    }
}
