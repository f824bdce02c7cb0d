namespace UniFace.Packages;

/// <summary>The location of a package. A folder that holds anything else is never replaced, so that a mistyped path loses no data.</summary>
internal sealed class PackageFolder
{
    /// <summary>Name of the ONNX file in a package.</summary>
    public const string OnnxName = "model.onnx";

    private readonly string full;

    /// <summary>Checks a location before anything is written to it.</summary>
    /// <param name="folder">Absent, empty, or a package.</param>
    /// <exception cref="UniFaceException">It is a file, or a folder that is not a package.</exception>
    public PackageFolder(string folder)
    {
        full = Normalize(folder);
        if (File.Exists(full))
        {
            throw new UniFaceException($"{folder} is a file; expected a folder for the package, or a name that is free");
        }

        string? foreign = !Directory.Exists(full) ? null : Directory.EnumerateFileSystemEntries(full).Select(Path.GetFileName)
            .FirstOrDefault(name => !IsPart(name!));
        if (foreign is not null)
        {
            throw new UniFaceException(
                $"{folder} holds {foreign}, which is not part of a model package; expected an empty folder, a package to replace, or a name that is free");
        }
    }

    /// <summary>Creates an empty folder beside it, on the same disk.</summary>
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
    /// Renames a finished folder into place. An older package is renamed first, and restored if that fails; a kill between the two
    /// renames leaves it complete under the name ".NAME.PID.old". One process at a time.
    /// </summary>
    public void Replace(string finished)
    {
        using FileLock? held = AcquireLock(full);
        string? old = Directory.Exists(full) ? Beside("old") : null;
        if (old is not null)
        {
            Directory.Move(full, old);
        }

        try
        {
            Directory.Move(finished, full);
        }
        catch when (old is not null)
        {
            Directory.Move(old, full);
            throw;
        }

        AtomicFile.FlushFolder(Path.GetDirectoryName(full)!);
        if (old is not null)
        {
            Directory.Delete(old, recursive: true);
        }
    }

    /// <summary>
    /// The lock for changing a package: a file beside it, because a package is replaced as a whole. Null if the parent folder cannot be
    /// written; then nobody can replace the package either.
    /// </summary>
    internal static FileLock? AcquireLock(string package)
    {
        string full = Normalize(package);
        try
        {
            return FileLock.AcquireFor(Path.Combine(Path.GetDirectoryName(full) ?? full, "." + Path.GetFileName(full)));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static bool IsPart(string name) =>
        name is OnnxName or ModelManifest.FileName or Calibration.FileName or TrainingFingerprint.FileName or ModelCard.FileName;

    private static string Normalize(string folder) => Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));

    private string Beside(string what) => Path.Combine(
        Path.GetDirectoryName(full) ?? throw new UniFaceException($"{full} is the root of a disk; expected a folder for the package"),
        $".{Path.GetFileName(full)}.{Environment.ProcessId}.{what}");
}
