namespace UniFace.Vision.TfLite;

/// <summary>A TFLite network of a downloaded file, converted to ONNX once.</summary>
/// <param name="Name">Names the ONNX file in the folder "converted" of <see cref="UniFaceHome"/>.</param>
/// <param name="HomePath">The downloaded file in <see cref="UniFaceHome"/>.</param>
/// <param name="Offset">Where the network begins in it.</param>
/// <param name="Bytes">The network's length.</param>
/// <param name="Sha256">The network's hash; any other is refused.</param>
internal sealed record ConvertedModel(string Name, string HomePath, long Offset, int Bytes, string Sha256)
{
    private string OnnxPath => Path.Combine("converted", $"{Name}-{Sha256[..12]}.{TfLiteToOnnx.Version}.onnx");

    /// <summary>The downloaded file or the converted one; null if neither is installed.</summary>
    public string? Installed() => UniFaceHome.Find(OnnxPath) ?? UniFaceHome.Find(HomePath);

    /// <summary>Opens the network; converts it at the first use, and keeps the result if the folder can be written.</summary>
    /// <exception cref="UniFaceException">It is not installed, or not the published file.</exception>
    public OnnxSession Open(int threads, ExecutionProvider provider = ExecutionProvider.Cpu)
    {
        if (UniFaceHome.Find(OnnxPath) is string converted)
        {
            return OnnxSession.Open(converted, threads, provider);
        }

        string path = UniFaceHome.Find(HomePath) ?? throw new UniFaceException($"{HomePath} is not installed; run setup/models.sh.");
        byte[] onnx = TfLiteToOnnx.Convert(Read(path), path);
        string target = Path.Combine(path[..^HomePath.Length], OnnxPath);
        try
        {
            AtomicFile.Write(target, stream => stream.Write(onnx));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or UniFaceException)
        {
            // A container's models are read-only; converting takes some 50 ms.
        }

        return OnnxSession.Open(onnx, path, threads, provider);
    }

    private byte[] Read(string path)
    {
        byte[] bytes = new byte[Bytes];
        using FileStream file = File.OpenRead(path);
        bool whole = file.Length >= Offset + Bytes;
        if (whole)
        {
            file.Position = Offset;
            file.ReadExactly(bytes);
        }

        string hash = whole ? IO.Sha256.HashBytes(bytes) : $"none, as it ends at {file.Length}";
        return hash == Sha256
            ? bytes
            : throw new UniFaceException(
                $"{path}: the SHA-256 of bytes {Offset} to {Offset + Bytes} is {hash}, expected {Sha256}: it is not the " +
                "published file; delete it and run setup/models.sh.");
    }
}
