using System.Globalization;
using UniFace.IO;

namespace UniFace.Packages;

/// <summary>
/// The place of a package. A folder that holds anything but a package is never replaced: what a person mistyped must not be lost.
/// </summary>
public sealed class PackageFolder
{
    /// <summary>Name of the ONNX file in a package.</summary>
    public const string OnnxName = "model.onnx";

    private readonly string full;

    /// <summary>A package's place, looked at before anything is made.</summary>
    /// <param name="folder">Absent, empty, or a package.</param>
    /// <exception cref="UniFaceException">There is a file, or a folder that is not a package.</exception>
    public PackageFolder(string folder)
    {
        full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        if (File.Exists(full))
        {
            throw new UniFaceException($"{folder} is a file; expected a folder for the package, or a name that is free.");
        }

        if (!Directory.Exists(full))
        {
            return;
        }

        string? foreign = Directory.EnumerateFileSystemEntries(full).Select(Path.GetFileName)
            .FirstOrDefault(name => name is not (OnnxName or ModelManifest.FileName or Calibration.FileName or TrainingFingerprint.FileName));
        if (foreign is not null)
        {
            throw new UniFaceException($"{folder} holds {foreign}, which is no part of a model package; expected an empty folder, a package to replace, or a name that is free.");
        }
    }

    /// <summary>Makes an empty folder beside, on the same disk.</summary>
    public string CreateBeside()
    {
        string beside = Beside("tmp");
        if (Directory.Exists(beside))
        {
            Directory.Delete(beside, recursive: true);
        }

        Directory.CreateDirectory(beside);
        return beside;
    }

    /// <summary>
    /// Renames a finished folder into place. An older package steps aside first and comes back if that fails; a kill between
    /// both renames leaves it whole beside, as ".NAME.PID.old". One process at a time.
    /// </summary>
    public void Replace(string finished)
    {
        using FileLock? held = LockOf(full);
        if (!Directory.Exists(full))
        {
            Directory.Move(finished, full);
            AtomicFile.FlushFolder(Path.GetDirectoryName(full)!);
            return;
        }

        string old = Beside("old");
        Directory.Move(full, old);
        try
        {
            Directory.Move(finished, full);
        }
        catch
        {
            Directory.Move(old, full);
            throw;
        }

        AtomicFile.FlushFolder(Path.GetDirectoryName(full)!);
        Directory.Delete(old, recursive: true);
    }

    /// <summary>
    /// The lock of all who change a package: a file beside it, because a package is replaced whole. Null if the folder around it cannot be
    /// written: then nobody can replace the package either.
    /// </summary>
    internal static FileLock? LockOf(string package)
    {
        string full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(package));
        try
        {
            return FileLock.AcquireFor(Path.Combine(Path.GetDirectoryName(full) ?? full, "." + Path.GetFileName(full)));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private string Beside(string what) => Path.Combine(
        Path.GetDirectoryName(full) ?? throw new UniFaceException($"{full} is the root of a disk; expected a folder for the package."),
        string.Create(CultureInfo.InvariantCulture, $".{Path.GetFileName(full)}.{Environment.ProcessId}.{what}"));
}
