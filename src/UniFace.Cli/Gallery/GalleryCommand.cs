using System.CommandLine;

namespace UniFace.Cli.Gallery;

/// <summary>uniface gallery: people enrolled in a file or a database, and who a photo shows. One subcommand a file.</summary>
internal static class GalleryCommand
{
    public static Command Create() => new("gallery", "Galleries: enrol people, ask who somebody is.")
    {
        GalleryCreateCommand.Create(),
        GalleryEnrollCommand.Create(),
        GalleryRemoveCommand.Create(),
        GalleryListCommand.Create(),
        GalleryIdentifyCommand.Create(),
        GalleryRebuildCommand.Create(),
        GalleryReembedCommand.Create(),
        GalleryVerifyIntegrityCommand.Create(),
        GalleryBackupCommand.Create(),
        GalleryRestoreCommand.Create(),
        GalleryRekeyCommand.Create(),
    };
}
