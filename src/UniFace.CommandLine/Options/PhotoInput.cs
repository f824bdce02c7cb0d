namespace UniFace.CommandLine.Options;

/// <summary>Photos that a command line names: a path, or "-" for a photo from standard input.</summary>
internal static class PhotoInput
{
    /// <summary>Stands for a photo that is read from standard input.</summary>
    public const string StandardInput = "-";

    /// <summary>Opens an image, a folder or archive of images at any depth, or standard input.</summary>
    /// <exception cref="UniFaceException">The path does not exist, contains no image, or the archive is damaged.</exception>
    public static PhotoSet Open(string path) => path == StandardInput ? PhotoSet.FromPhoto(path, Read(path)) : PhotoSet.Open(path);

    /// <summary>The bytes of one photo.</summary>
    /// <exception cref="UniFaceException">It cannot be read, is empty, or is larger than a photo may be.</exception>
    public static byte[] Read(string path)
    {
        if (path != StandardInput)
        {
            return PhotoSet.ReadPhoto(path);
        }

        using Stream input = Console.OpenStandardInput();
        return PhotoSet.ReadPhoto(input, path);
    }
}
