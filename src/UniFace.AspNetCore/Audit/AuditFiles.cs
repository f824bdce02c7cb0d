namespace UniFace.AspNetCore.Audit;

/// <summary>The end of an audit log after the last write. With it, a log that was deleted, emptied or cut off is detected.</summary>
/// <param name="Files">Number of full files before audit.jsonl, from audit-00001.jsonl on.</param>
/// <param name="Length">Length of audit.jsonl in bytes.</param>
/// <param name="Lines">Number of lines in all files.</param>
/// <param name="Hash">Hash of the last line; empty if there is none.</param>
internal sealed record AuditHead(int Files, long Length, long Lines, string Hash);

/// <summary>audit.head.</summary>
internal sealed record SealedHead(AuditHead Head, string Seal);

[JsonSourceGenerationOptions(GenerationMode = JsonSourceGenerationMode.Metadata)]
[JsonSerializable(typeof(SealedHead))]
internal sealed partial class AuditHeadJson : JsonSerializerContext;

/// <summary>
/// The files of an audit log in a data folder: audit.jsonl, full files before it, audit.head (sealed with the key) and audit.key. Once a head was written,
/// the key file has one extra byte, so that a missing head is noticed; key files of older versions do not have it.
/// </summary>
internal sealed class AuditFiles
{
    private const int KeyBytes = 32;

    private readonly string folder;
    private readonly bool hasHead;

    private AuditFiles(string folder, byte[] key) => (this.folder, Key, hasHead) = (folder, key[..KeyBytes], key.Length > KeyBytes);

    /// <summary>The log's key.</summary>
    public byte[] Key { get; }

    /// <summary>The file that is appended to.</summary>
    public string Log => Path.Combine(folder, "audit.jsonl");

    private string HeadPath => Path.Combine(folder, "audit.head");

    private string KeyPath => Path.Combine(folder, "audit.key");

    /// <summary>Opens the files for writing; creates key and head if they are missing.</summary>
    public static AuditFiles ForWriting(string folder)
    {
        DataFolder.Create(folder);
        AuditFiles created = new(folder, RandomNumberGenerator.GetBytes(KeyBytes));
        using FileLock held = created.Lock();
        AuditFiles files = File.Exists(created.KeyPath) ? ForReading(folder) : created;
        if (!files.hasHead)
        {
            files.WriteHead(files.Scan());
            AtomicFile.Write(files.KeyPath, stream => stream.Write([.. files.Key, (byte)'\n']), ownerOnly: true);
        }

        return ForReading(folder);
    }

    /// <summary>Opens the files for a check.</summary>
    /// <exception cref="UniFaceException">The log's key is missing or damaged.</exception>
    public static AuditFiles ForReading(string folder)
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

    /// <summary>Locks the log across processes.</summary>
    public FileLock Lock() => FileLock.AcquireFor(Log);

    /// <summary>Path of a full file, counted from 1.</summary>
    public string Full(int number) => Path.Combine(folder, FormattableString.Invariant($"audit-{number:D5}.jsonl"));

    /// <summary>Opens a file that other processes may append to, rename or remove.</summary>
    public static FileStream OpenForReading(string path) => new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);

    /// <summary>Reads the head. The lock must be held.</summary>
    /// <param name="missed">True if the head is missing or not what was written, though there must be one.</param>
    public AuditHead? ReadHead(out bool missed)
    {
        AuditHead? head = null;
        try
        {
            SealedHead? read = File.Exists(HeadPath) ? JsonSerializer.Deserialize(File.ReadAllBytes(HeadPath), AuditHeadJson.Default.SealedHead) : null;
            head = read?.Head is not null && read.Seal == ComputeSeal(read.Head) ? read.Head : null;
        }
        catch (JsonException)
        {
            // Damaged, which counts as missing.
        }

        missed = head is null && hasHead;

        // A kill may come between renaming a full file and writing the head.
        return head is not null && File.Exists(Full(head.Files + 1)) ? head with { Files = head.Files + 1, Length = 0 } : head;
    }

    /// <summary>Writes the head. The lock must be held.</summary>
    public void WriteHead(AuditHead head) =>
        AtomicFile.Write(
            HeadPath,
            stream => JsonSerializer.Serialize(stream, new SealedHead(head, ComputeSeal(head)), AuditHeadJson.Default.SealedHead),
            ownerOnly: true);

    /// <summary>Computes a head from the files as they are, without checking them.</summary>
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
        using FileStream stream = OpenForReading(path);
        long whole = AuditLines.FindEnd(stream).End;
        return AuditLines.Read(stream, 0, whole)
            .Aggregate(head with { Length = whole }, (sum, line) => sum with { Lines = sum.Lines + 1, Hash = AuditLines.FindHash(line).Hash });
    }

    private string ComputeSeal(AuditHead head) => AuditLines.ComputeHash(Key, "head", JsonSerializer.Serialize(head, AuditHeadJson.Default.AuditHead));
}
