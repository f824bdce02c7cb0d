namespace UniFace.Cli.Photos;

/// <summary>Writes embeddings as NumPy's .npy (format 1.0, little-endian float32, C order) with the names beside it, or as .csv.</summary>
internal static class EmbeddingFile
{
    private const int HeaderBytes = 128;

    /// <summary>Receives a row.</summary>
    internal delegate void RowSink(string name, ReadOnlySpan<float> row);

    /// <summary>Refuses a name without a known extension.</summary>
    public static void CheckName(string path)
    {
        if (!Is(path, ".npy") && !Is(path, ".csv"))
        {
            throw new UniFaceException($"--out {path}: expected a file name ending in .npy or .csv.");
        }
    }

    /// <summary>
    /// Writes rows as they come, in constant memory. Returns the path of the file of names, or null if the file itself has them. Nothing is written if
    /// <paramref name="fill"/> throws.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="size">Values per row.</param>
    /// <param name="fill">Passes every row with its name to its argument.</param>
    public static string? Write(string path, int size, Action<RowSink> fill)
    {
        if (Is(path, ".csv"))
        {
            AtomicFile.Write(path, stream => WriteCsv(stream, size, fill));
            return null;
        }

        string namesFile = Path.ChangeExtension(path, ".names.txt");
        AtomicFile.Write(path, stream => AtomicFile.Write(namesFile, names => WriteNpy(stream, names, size, fill)));
        return namesFile;
    }

    private static void WriteNpy(Stream stream, Stream names, int size, Action<RowSink> fill)
    {
        // The header holds the number of rows, so it is written last.
        stream.Write(new byte[HeaderBytes]);
        long rows = 0;
        using StreamWriter nameWriter = new(names, new UTF8Encoding(false), leaveOpen: true) { NewLine = "\n" };
        fill((name, row) =>
        {
            stream.Write(MemoryMarshal.AsBytes(row)); // Every processor that UniFace runs on is little-endian.
            nameWriter.WriteLine(name);
            rows++;
        });
        string shape = $"{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, {size}), }}";

        // Magic, version and length take 10 bytes; the data starts at a multiple of 64.
        string header = shape.PadRight(HeaderBytes - 11) + "\n";
        stream.Position = 0;
        stream.Write([0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y', 1, 0, (byte)header.Length, (byte)(header.Length >> 8)]);
        stream.Write(Encoding.ASCII.GetBytes(header));
    }

    private static void WriteCsv(Stream stream, int size, Action<RowSink> fill)
    {
        using StreamWriter writer = new(stream, new UTF8Encoding(false), leaveOpen: true) { NewLine = "\n" };
        writer.WriteLine("name," + string.Join(',', Enumerable.Range(0, size).Select(i => $"e{i}")));
        fill((name, row) =>
        {
            writer.Write(Csv.Quote(name));
            foreach (float value in row)
            {
                writer.Write(',');
                writer.Write($"{value:R}");
            }

            writer.WriteLine();
        });
    }

    private static bool Is(string path, string extension) => path.EndsWith(extension, StringComparison.OrdinalIgnoreCase);
}
