using System.Security.Cryptography;
using System.Text.Json;
using UniFace.IO;

namespace UniFace.Server.Security;

/// <summary>Where an audit log ended when it was last written: with it, a log that is deleted, emptied or cut off shows.</summary>
/// <param name="Files">Full files before audit.jsonl: audit-00001.jsonl to this number.</param>
/// <param name="Length">Bytes of audit.jsonl.</param>
/// <param name="Lines">Lines of all files.</param>
/// <param name="Hash">Hash of the last line; empty for no line.</param>
internal sealed record AuditHead(int Files, long Length, long Lines, string Hash);

/// <summary>
/// The files of an audit log in a data folder: audit.jsonl, full ones before it, audit.head (sealed by the key) and audit.key. The key has one byte
/// more than it needs once a head was written, so that a head which disappears is missed; keys from before heads have not.
/// </summary>
internal sealed class AuditFiles
{
    private const int KeyBytes = 32;

    private readonly string folder;
    private readonly bool hasHead;

    private AuditFiles(string folder, byte[] key) => (this.folder, Key, hasHead) = (folder, key[..KeyBytes], key.Length > KeyBytes);

    private sealed record SealedHead(AuditHead Head, string Seal);

    /// <summary>The log's key.</summary>
    public byte[] Key { get; }

    /// <summary>The file that is appended to.</summary>
    public string Log => Path.Combine(folder, "audit.jsonl");

    private string HeadPath => Path.Combine(folder, "audit.head");

    private string KeyPath => Path.Combine(folder, "audit.key");

    /// <summary>The files to write to; key and head are made where they are missing.</summary>
    public static AuditFiles ToWrite(string folder)
    {
        DataFolder.Make(folder);
        AuditFiles none = new(folder, RandomNumberGenerator.GetBytes(KeyBytes));
        using FileLock held = none.Lock();
        AuditFiles files = File.Exists(none.KeyPath) ? ToRead(folder) : none;
        if (!files.hasHead)
        {
            files.WriteHead(files.Scan());
            AtomicFile.Write(files.KeyPath, stream => stream.Write([.. files.Key, (byte)'\n']), ownerOnly: true);
        }

        return ToRead(folder);
    }

    /// <summary>The files to check.</summary>
    /// <exception cref="UniFaceException">The log's key is missing or damaged.</exception>
    public static AuditFiles ToRead(string folder)
    {
        string path = Path.Combine(folder, "audit.key");
        if (!File.Exists(path))
        {
            throw new UniFaceException(
                $"{path}: the audit log's key is missing, and without it the log cannot be checked; restore it, or give the data folder of a service.");
        }

        byte[] key = File.ReadAllBytes(path);
        return key.Length is KeyBytes or KeyBytes + 1
            ? new AuditFiles(folder, key)
            : throw new UniFaceException($"{path}: {key.Length} bytes, expected the audit log's key of {KeyBytes + 1}; restore it from a copy.");
    }

    /// <summary>Has the log alone, among all processes.</summary>
    public FileLock Lock() => FileLock.AcquireFor(Log);

    /// <summary>A full file, from 1.</summary>
    public string Full(int number) => Path.Combine(folder, FormattableString.Invariant($"audit-{number:D5}.jsonl"));

    /// <summary>The head as it was written last. To be called under the lock.</summary>
    /// <param name="missed">True if there must be one and is not, or it is not what was written.</param>
    public AuditHead? ReadHead(out bool missed)
    {
        AuditHead? head = null;
        try
        {
            SealedHead? read = File.Exists(HeadPath) ? JsonSerializer.Deserialize<SealedHead>(File.ReadAllBytes(HeadPath)) : null;
            head = read?.Head is not null && read.Seal == SealOf(read.Head) ? read.Head : null;
        }
        catch (JsonException)
        {
        }

        missed = head is null && hasHead;

        // A kill between the renaming of a full file and the head.
        return head is not null && File.Exists(Full(head.Files + 1)) ? head with { Files = head.Files + 1, Length = 0 } : head;
    }

    /// <summary>Writes the head. To be called under the lock.</summary>
    public void WriteHead(AuditHead head) =>
        AtomicFile.Write(HeadPath, stream => JsonSerializer.Serialize(stream, new SealedHead(head, SealOf(head))), ownerOnly: true);

    /// <summary>The head by what is in the files, believed as it is.</summary>
    public AuditHead Scan()
    {
        AuditHead head = new(0, 0, 0, "");
        for (; File.Exists(Full(head.Files + 1)); head = Count(Full(head.Files + 1), head) with { Files = head.Files + 1 })
        {
        }

        return File.Exists(Log) ? Count(Log, head) : head with { Length = 0 };
    }

    private static AuditHead Count(string path, AuditHead head)
    {
        using FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        long whole = AuditLines.EndOf(stream).Whole;
        return AuditLines.Read(stream, 0, whole)
            .Aggregate(head with { Length = whole }, (so, line) => so with { Lines = so.Lines + 1, Hash = AuditLines.HashIn(line).Hash });
    }

    private string SealOf(AuditHead head) => AuditLines.HashOf(Key, "head", JsonSerializer.Serialize(head));
}
