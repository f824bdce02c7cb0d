namespace UniFace.IO;

/// <summary>Reads streams whose length is not trusted.</summary>
internal static class BoundedRead
{
    /// <summary>The bytes up to the end of a stream, at most <paramref name="limit"/>. Memory grows with what is read, not with the limit.</summary>
    public static byte[] ReadUpTo(this Stream stream, long limit)
    {
        using MemoryStream bytes = new((int)(stream.CanSeek ? Math.Min(stream.Length, limit) : 0));
        byte[] buffer = new byte[Math.Min(limit, 1 << 16)];
        for (int count; (count = stream.Read(buffer, 0, (int)Math.Min(buffer.Length, limit - bytes.Length))) > 0;)
        {
            bytes.Write(buffer, 0, count);
        }

        return bytes.Length == bytes.Capacity ? bytes.GetBuffer() : bytes.ToArray();
    }

    /// <inheritdoc cref="ReadUpTo"/>
    public static async Task<byte[]> ReadUpToAsync(this Stream stream, long limit, CancellationToken cancellationToken)
    {
        using MemoryStream bytes = new();
        byte[] buffer = new byte[Math.Min(limit, 1 << 16)];
        for (int count; (count = await stream.ReadAsync(
            buffer.AsMemory(0, (int)Math.Min(buffer.Length, limit - bytes.Length)), cancellationToken).ConfigureAwait(false)) > 0;)
        {
            bytes.Write(buffer, 0, count);
        }

        return bytes.ToArray();
    }
}
