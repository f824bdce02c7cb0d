using System.Collections.Concurrent;
using System.Text;
using UniFace.IO;

namespace UniFace.Evaluation;

/// <summary>
/// One SHA-256 over everything that a measurement read, taken while it is read. Of one file it is that file's own; of several it
/// is the hash of the lines "HASH  NAME" (two spaces, newline), ordered by name, as the tool sha256sum writes them. Thread-safe.
/// </summary>
public sealed class ContentHash
{
    private readonly ConcurrentDictionary<string, string> files = new(StringComparer.Ordinal);

    /// <summary>Files counted so far.</summary>
    public int Count => files.Count;

    /// <summary>Counts a file's bytes.</summary>
    /// <param name="name">The file's name in the data; the same name again replaces it.</param>
    /// <param name="contents">Its bytes.</param>
    public void Add(string name, ReadOnlySpan<byte> contents) => Add(name, Sha256.OfBytes(contents));

    /// <summary>Counts a file by the hash of its bytes.</summary>
    public void Add(string name, string sha256) => files[name] = sha256;

    /// <summary>The hash over all files counted, 64 hexadecimal digits.</summary>
    public string Total()
    {
        KeyValuePair<string, string>[] all = [.. files.OrderBy(f => f.Key, StringComparer.Ordinal)];
        return all.Length == 1 ? all[0].Value : Sha256.OfBytes(Encoding.UTF8.GetBytes(string.Concat(all.Select(f => $"{f.Value}  {f.Key}\n"))));
    }
}
