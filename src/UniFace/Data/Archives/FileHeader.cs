namespace UniFace.Data.Archives;

/// <summary>The first bytes of a file, from which its format is recognized.</summary>
internal static class FileHeader
{
    /// <summary>Up to <see cref="ImageFormat.HeaderBytes"/> bytes; empty for a pipe or device, which could block.</summary>
    /// <exception cref="UniFaceException">It cannot be read.</exception>
    public static byte[] Read(string path)
    {
        if (new FileInfo(path).Length == 0)
        {
            return [];
        }

        using FileSegment file = FileSegment.Open(path);
        return file.Read(0, Math.Min(file.Length, ImageFormat.HeaderBytes), "header");
    }
}
