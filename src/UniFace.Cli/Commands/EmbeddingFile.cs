using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using UniFace.IO;

namespace UniFace.Cli.Commands;

/// <summary>Writes embeddings as NumPy's .npy (format 1.0, little-endian float32, C order) with the names beside it, or as .csv.</summary>
internal static class EmbeddingFile
{
    /// <summary>Refuses, before any work is done, a name that says no format.</summary>
    public static void CheckName(string path)
    {
        if (!Is(path, ".npy") && !Is(path, ".csv"))
        {
            throw new UniFaceException($"--out {path}: expected a file name ending in .npy or .csv.");
        }
    }

    /// <summary>Writes the file; the path of the file of names, or null where the names are in the file itself.</summary>
    public static string? Write(string path, IReadOnlyList<string> names, IReadOnlyList<float[]> rows, int size)
    {
        if (Is(path, ".csv"))
        {
            AtomicFile.Write(path, stream => WriteCsv(stream, names, rows, size));
            return null;
        }

        string namesFile = Path.ChangeExtension(path, ".names.txt");
        AtomicFile.WriteText(namesFile, string.Concat(names.Select(name => name + "\n")));
        AtomicFile.Write(path, stream => WriteNpy(stream, rows, size));
        return namesFile;
    }

    private static void WriteNpy(Stream stream, IReadOnlyList<float[]> rows, int size)
    {
        string shape = string.Create(CultureInfo.InvariantCulture, $"{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows.Count}, {size}), }}");

        // Magic, version and length take 10 bytes; the data starts at a multiple of 64.
        string header = shape.PadRight(((10 + shape.Length + 1 + 63) / 64 * 64) - 11) + "\n";
        stream.Write([0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y', 1, 0, (byte)header.Length, (byte)(header.Length >> 8)]);
        stream.Write(Encoding.ASCII.GetBytes(header));
        byte[] bytes = new byte[size * 4];
        foreach (float[] row in rows)
        {
            for (int i = 0; i < size; i++)
            {
                BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(i * 4), row[i]);
            }

            stream.Write(bytes);
        }
    }

    private static void WriteCsv(Stream stream, IReadOnlyList<string> names, IReadOnlyList<float[]> rows, int size)
    {
        using StreamWriter writer = new(stream, new UTF8Encoding(false), leaveOpen: true) { NewLine = "\n" };
        writer.WriteLine("name," + string.Join(',', Enumerable.Range(0, size).Select(i => string.Create(CultureInfo.InvariantCulture, $"e{i}"))));
        for (int i = 0; i < rows.Count; i++)
        {
            writer.Write(Quoted(names[i]));
            foreach (float value in rows[i])
            {
                writer.Write(',');
                writer.Write(value.ToString("R", CultureInfo.InvariantCulture));
            }

            writer.WriteLine();
        }
    }

    /// <summary>RFC 4180.</summary>
    private static string Quoted(string text) => text.AsSpan().IndexOfAny(",\"\r\n") < 0 ? text : $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    private static bool Is(string path, string extension) => path.EndsWith(extension, StringComparison.OrdinalIgnoreCase);
}
