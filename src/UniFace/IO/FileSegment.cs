namespace UniFace.IO;

/// <summary>
/// Part of a file that is read by position: a whole file, or an entry of a tar. Thread-safe. Disposing any part closes the file.
/// </summary>
internal sealed class FileSegment(SafeFileHandle handle, string name, long start, long length) : IDisposable
{
    /// <summary>Upper limit for an image or record; anything that claims to be larger is damaged.</summary>
    public const int LargestItem = 1 << 29;

    /// <summary>Its name in errors: a path, or "set.tar:entry".</summary>
    public string Name { get; } = name;

    /// <summary>Its length in bytes.</summary>
    public long Length { get; } = length;

    /// <summary>Opens a whole file.</summary>
    /// <exception cref="UniFaceException">It does not exist or cannot be read.</exception>
    public static FileSegment Open(string path)
    {
        SafeFileHandle? opened = null;
        try
        {
            opened = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read, FileOptions.RandomAccess);
            return new FileSegment(opened, path, 0, RandomAccess.GetLength(opened));
        }
        catch (NotSupportedException e)
        {
            opened?.Dispose();
            throw new UniFaceException($"{path} is a pipe or a device, expected a file; write it to one first.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UniFaceException($"{path} cannot be opened: {e.Message}", e);
        }
    }

    /// <summary>A part of this segment; the caller has checked that it lies inside.</summary>
    public FileSegment Slice(string sliceName, long offset, long sliceLength) => new(handle, sliceName, start + offset, sliceLength);

    /// <summary>Fills the buffer from an offset.</summary>
    /// <exception cref="UniFaceException">The file ends before the buffer is full.</exception>
    public void Read(long offset, Span<byte> buffer, string what)
    {
        if (offset < 0 || offset > Length - buffer.Length)
        {
            throw new UniFaceException(
                $"{Name}: {what} of {buffer.Length} bytes at offset {offset} reaches past the end at {Length}; the file is truncated or damaged.");
        }

        long at = start + offset;
        while (!buffer.IsEmpty)
        {
            int read;
            try
            {
                read = RandomAccess.Read(handle, buffer, at);
            }
            catch (IOException e)
            {
                throw new UniFaceException($"{Name}: {what} at offset {offset} cannot be read: {e.Message}", e);
            }

            if (read == 0)
            {
                throw new UniFaceException($"{Name}: {what} at offset {offset} cannot be read: the file became shorter while it was open.");
            }

            buffer = buffer[read..];
            at += read;
        }
    }

    /// <summary>Bytes from an offset. The length is checked before memory is allocated.</summary>
    public byte[] Read(long offset, long count, string what)
    {
        if (offset < 0 || count < 0 || offset > Length - count || count > LargestItem)
        {
            throw new UniFaceException(
                $"{Name}: {what} of {count} bytes at offset {offset} does not fit in a file of {Length} (limit {LargestItem}); " +
                "the file is truncated or damaged.");
        }

        byte[] bytes = GC.AllocateUninitializedArray<byte>((int)count);
        Read(offset, bytes, what);
        return bytes;
    }

    /// <summary>All bytes of a file.</summary>
    public static byte[] ReadAll(string path)
    {
        using FileSegment file = Open(path);
        if (file.Length > Array.MaxLength)
        {
            throw new UniFaceException($"{path} has {file.Length} bytes; files of this format are read up to {Array.MaxLength}.");
        }

        byte[] bytes = GC.AllocateUninitializedArray<byte>((int)file.Length);
        file.Read(0, bytes, "file");
        return bytes;
    }

    /// <summary>The lines of a text file; see <see cref="Lines"/>.</summary>
    public static IEnumerable<(int Number, string Text)> ReadLines(string path)
    {
        using FileSegment file = Open(path);
        foreach ((int Number, string Text) line in file.Lines())
        {
            yield return line;
        }
    }

    /// <summary>
    /// Its lines that are not blank, as text (UTF-8, a byte order mark removed), with their numbers from 1; one line at a time in memory.
    /// </summary>
    public IEnumerable<(int Number, string Text)> Lines()
    {
        const int LongestLine = 1 << 16;
        byte[] chunk = new byte[1 << 16];
        List<byte> line = [];
        int number = 1;
        for (long offset = 0; offset < Length; offset += chunk.Length)
        {
            int count = (int)Math.Min(chunk.Length, Length - offset);
            Read(offset, chunk.AsSpan(0, count), "text");
            for (int i = 0; i < count; i++)
            {
                if (chunk[i] != (byte)'\n')
                {
                    line.Add(chunk[i]);
                    if (line.Count > LongestLine)
                    {
                        throw new UniFaceException($"{Name}: line {number} is longer than {LongestLine} bytes; this is not a text file.");
                    }

                    continue;
                }

                if (Decode() is string text)
                {
                    yield return (number, text);
                }

                number++;
                line.Clear();
            }
        }

        if (Decode() is string last)
        {
            yield return (number, last);
        }

        string? Decode()
        {
            string text = Encoding.UTF8.GetString(CollectionsMarshal.AsSpan(line)).TrimEnd('\r');
            text = number == 1 ? text.TrimStart('\uFEFF') : text;
            return string.IsNullOrWhiteSpace(text) ? null : text;
        }
    }

    /// <summary>Closes the file.</summary>
    public void Dispose() => handle.Dispose();
}
