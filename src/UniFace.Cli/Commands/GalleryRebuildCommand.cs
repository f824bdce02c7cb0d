using System.CommandLine;
using UniFace.Gallery;

namespace UniFace.Cli.Commands;

/// <summary>uniface gallery rebuild: the index, made anew from the database.</summary>
internal static class GalleryRebuildCommand
{
    public static Command Create()
    {
        GalleryOptions options = new();
        Command command = new("rebuild", "Make the index beside the gallery anew from its database, so that the next start is quick. An encrypted gallery stores no index: this only reads it all.\nExample: uniface gallery rebuild people.gallery");
        options.AddTo(command);
        command.SetAction(async (parsed, stop) =>
        {
            await using IStoredGallery gallery = await options.OpenAsync(parsed, stop).ConfigureAwait(false);
            long rows = await gallery.RebuildIndexAsync(stop).ConfigureAwait(false);
            if (parsed.GetValue(CommonOptions.Json))
            {
                Output.Json(new { gallery = gallery.Path, rows, stored = !gallery.Info.Encrypted && gallery.Damage.Count == 0 });
            }
            else
            {
                Console.WriteLine($"{gallery.Path}: an index of {Plural.Format(rows, "row")}{(gallery.Info.Encrypted ? ", not stored because the gallery is encrypted" : gallery.Damage.Count > 0 ? ", not stored because templates are damaged" : "")}");
            }

            GalleryOptions.WarnOfDamage(gallery);

            return ExitCode.Success;
        });
        return command;
    }
}
