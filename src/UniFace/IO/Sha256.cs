using System.Security.Cryptography;

namespace UniFace.IO;

/// <summary>SHA-256 as the lower-case hexadecimal text that reports and manifests show.</summary>
public static class Sha256
{
    /// <summary>Hash of a file's bytes.</summary>
    public static string OfFile(string path)
    {
        using FileStream stream = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }

    /// <summary>Hash of bytes in memory.</summary>
    public static string OfBytes(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));
}
