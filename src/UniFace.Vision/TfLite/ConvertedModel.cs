namespace UniFace.Vision.TfLite;

/// <summary>A TFLite network, converted to ONNX: the one of a NuGet package beside the program, or a part of a downloaded file.</summary>
/// <param name="Name">Names the ONNX file in the folder "converted" of <see cref="UniFaceHome"/>.</param>
/// <param name="PackagePath">The network's file beside the program.</param>
/// <param name="HomePath">The downloaded file in <see cref="UniFaceHome"/>.</param>
/// <param name="Offset">Where the network begins in the downloaded file.</param>
/// <param name="Bytes">The network's length.</param>
/// <param name="Sha256">The network's hash; any other is refused.</param>
internal sealed record ConvertedModel(string Name, string PackagePath, string HomePath, long Offset, int Bytes, string Sha256)
{
    private string OnnxPath => Path.Combine("converted", $"{Name}-{Sha256[..12]}.{TfLiteToOnnx.Version}.onnx");

    private string BesideProgram => Path.Combine(AppContext.BaseDirectory, PackagePath);

    /// <summary>The converted file, the one beside the program or the downloaded one; null if none is installed.</summary>
    public string? Installed() => UniFaceHome.Find(OnnxPath) ?? (File.Exists(BesideProgram) ? BesideProgram : UniFaceHome.Find(HomePath));

    /// <summary>Opens the network; converts it, and keeps the result beside a downloaded file if the folder can be written.</summary>
    /// <exception cref="UniFaceException">It is not installed, or not the published file.</exception>
    public OnnxSession Open(int threads, ExecutionProvider provider = ExecutionProvider.Cpu)
    {
        if (UniFaceHome.Find(OnnxPath) is string converted)
        {
            return OnnxSession.Open(converted, threads, provider);
        }

        if (File.Exists(BesideProgram))
        {
            return OnnxSession.Open(TfLiteToOnnx.Convert(Read(BesideProgram, 0), BesideProgram), BesideProgram, threads, provider);
        }

        string path = UniFaceHome.Find(HomePath) ?? throw new UniFaceException($"{HomePath} is not installed; run setup/models.sh.");
        byte[] onnx = TfLiteToOnnx.Convert(Read(path, Offset), path);
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

    private byte[] Read(string path, long offset)
    {
        byte[] bytes = new byte[Bytes];
        using FileSegment file = FileSegment.Open(path);
        bool whole = file.Length >= offset + Bytes;
        if (whole)
        {
            file.Read(offset, bytes, "network");
        }

        string hash = whole ? IO.Sha256.HashBytes(bytes) : $"none, as it ends at {file.Length}";
        return hash == Sha256
            ? bytes
            : throw new UniFaceException(
                $"{path}: the SHA-256 of bytes {offset} to {offset + Bytes} is {hash}, expected {Sha256}: it is not the " +
                "published file; restore the package or delete the file and run setup/models.sh.");
    }
}
