namespace UniFace.Vision.Models;

/// <summary>Reads a model from a file or an address, bounded in size and checked by its hash.</summary>
internal static class ModelDownload
{
    private const int MaxBytes = 1 << 28;

    /// <summary>Whether a source is an http or https address.</summary>
    public static bool IsAddress(string source) => Uri.TryCreate(source, UriKind.Absolute, out Uri? address) && address.Scheme is "http" or "https";

    /// <summary>Reads a model.</summary>
    /// <param name="source">A file or an address.</param>
    /// <param name="sha256">Its hash, hexadecimal; required for an address.</param>
    /// <param name="cancellationToken">Cancels the download.</param>
    /// <exception cref="UniFaceException">It cannot be read, is too large, or has another hash.</exception>
    public static async Task<byte[]> ReadAsync(string source, string? sha256, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(source);
        if (sha256 is not null && (sha256.Length != 64 || !sha256.All(char.IsAsciiHexDigit)))
        {
            throw new UniFaceException($"SHA-256 {sha256}: expected 64 hexadecimal digits, as 'sha256sum FILE' prints them.");
        }

        if (sha256 is null && IsAddress(source))
        {
            throw new UniFaceException($"{source}: a download needs its SHA-256, so that the file is the one you mean; give it with the address.");
        }

        byte[] bytes = IsAddress(source) ? await DownloadAsync(source, cancellationToken).ConfigureAwait(false) : ReadFile(source);
        string hash = Sha256.HashBytes(bytes);
        return sha256 is null || hash.Equals(sha256, StringComparison.OrdinalIgnoreCase)
            ? bytes
            : throw new UniFaceException($"{source}: its SHA-256 is {hash}, expected {sha256}: it is another file; nothing was installed.");
    }

    private static byte[] ReadFile(string path) => new FileInfo(path).Length <= MaxBytes
        ? File.ReadAllBytes(path)
        : throw new UniFaceException($"{path}: more than {MaxBytes} bytes, expected a model of a face detector.");

    private static async Task<byte[]> DownloadAsync(string source, CancellationToken cancellationToken)
    {
        try
        {
            using HttpClient client = new() { MaxResponseContentBufferSize = MaxBytes, Timeout = TimeSpan.FromMinutes(10) };
            return await client.GetByteArrayAsync(new Uri(source), cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is HttpRequestException or IOException || (e is TaskCanceledException && !cancellationToken.IsCancellationRequested))
        {
            throw new UniFaceException(
                $"{source}: cannot be downloaded: {e.Message}; check the address and the network, or download it by hand and add the file.", e);
        }
    }
}
