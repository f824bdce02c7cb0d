namespace UniFace.Gallery;

/// <summary>The user's key of an encrypted gallery: 32 random bytes.</summary>
public sealed class GalleryKey
{
    /// <summary>Bytes in a key.</summary>
    internal const int Size = 32;

    private GalleryKey(byte[] bytes) => Bytes = bytes;

    /// <summary>The key.</summary>
    internal byte[] Bytes { get; }

    /// <summary>The key of these bytes; null for null.</summary>
    internal static GalleryKey? FromBytes(byte[]? bytes) => bytes is null ? null : new GalleryKey(bytes);

    /// <summary>Reads a key from a file: 32 bytes, or their 64 hexadecimal digits.</summary>
    /// <exception cref="UniFaceException">The file is missing, or its content is not a key.</exception>
    public static GalleryKey FromFile(string path)
    {
        if (!File.Exists(path))
        {
            throw new UniFaceException($"{path}: no such key file; create one with: openssl rand -hex 32 > {path}");
        }

        byte[] bytes = new FileInfo(path).Length <= 1024 ? File.ReadAllBytes(path) : [];
        return bytes.Length == Size ? new GalleryKey(bytes) : FromText(Encoding.UTF8.GetString(bytes), path);
    }

    /// <summary>Reads a key from an environment variable: 64 hexadecimal digits.</summary>
    /// <exception cref="UniFaceException">The variable is not set, or is not a key.</exception>
    public static GalleryKey FromEnvironment(string variable) => FromText(
        Environment.GetEnvironmentVariable(variable)
            ?? throw new UniFaceException($"the environment variable {variable} is not set; expected 64 hexadecimal digits, a key of 32 bytes"),
        $"environment variable {variable}");

    /// <summary>Reads a key from its 64 hexadecimal digits.</summary>
    /// <param name="text">The digits.</param>
    /// <param name="source">The name of the source in errors.</param>
    /// <exception cref="UniFaceException">The text is not a key.</exception>
    public static GalleryKey FromText(string text, string source)
    {
        ArgumentNullException.ThrowIfNull(text);
        string digits = text.Trim();
        return digits.Length == Size * 2 && digits.All(char.IsAsciiHexDigit)
            ? new GalleryKey(Convert.FromHexString(digits))
            : throw new UniFaceException($"{source}: not a key; expected 32 bytes or their 64 hexadecimal digits, as 'openssl rand -hex 32' prints them");
    }
}
