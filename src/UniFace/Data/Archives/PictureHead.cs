namespace UniFace.Data.Archives;

/// <summary>The first bytes of a file, from which its format is recognised.</summary>
internal static class PictureHead
{
    /// <summary>Up to <see cref="ImageFormat.HeaderBytes"/> bytes; empty for a pipe or device, which could block.</summary>
    public static byte[] Read(string path)
    {
        long length = new FileInfo(path).Length;
        if (length == 0)
        {
            return [];
        }

        using FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
        byte[] start = new byte[Math.Min(length, ImageFormat.HeaderBytes)];
        return start[..stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false)];
    }
}
