namespace UniFace.IO;

/// <summary>SHA-256 as lower-case hexadecimal text, for reports and manifests.</summary>
internal static class Sha256
{
    /// <summary>Hash of a file's bytes.</summary>
    public static string HashFile(string path)
    {
        using FileStream stream = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }

    /// <summary>Hash of bytes in memory.</summary>
    public static string HashBytes(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));
}
