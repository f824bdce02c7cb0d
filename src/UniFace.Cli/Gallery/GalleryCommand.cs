namespace UniFace.Cli.Gallery;

/// <summary>`uniface gallery`: enrolled people in a file or a database.</summary>
internal static class GalleryCommand
{
    public static Command Create() => new("gallery", "Enroll people and identify them in photos.")
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
