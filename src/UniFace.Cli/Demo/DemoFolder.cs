using UniFace.CommandLine.Serve;

namespace UniFace.Cli.Demo;

/// <summary>The folder that the demo writes.</summary>
internal sealed class DemoFolder
{
    private DemoFolder(string root) => Root = root;

    public string Root { get; }

    public string Faces => Path.Combine(Root, "faces");

    /// <summary>Faces to train on.</summary>
    public string Train => Path.Combine(Faces, "train");

    /// <summary>Faces of people that are not trained on.</summary>
    public string Unseen => Path.Combine(Faces, "unseen");

    /// <summary>Faces of a third group, for the calibration.</summary>
    public string Calibration => Path.Combine(Faces, "calibration");

    public string Run => Path.Combine(Root, "run");

    public string Package => Path.Combine(Root, ServedDemo.PackageFolder);

    public string CalibrationFile => Path.Combine(Package, Packages.Calibration.FileName);

    public string Gallery => Path.Combine(Root, ServedDemo.GalleryFile);

    /// <summary>The evaluation on the unseen people, as 'uniface eval --out' writes it.</summary>
    public string Evaluation => Path.Combine(Root, "evaluation");

    /// <summary>A copy of the run's metrics.</summary>
    public string Metrics => Path.Combine(Root, RunFolder.MetricsFile);

    public string Report => Path.Combine(Root, "report.html");

    /// <summary>The result as JSON.</summary>
    public string Summary => Path.Combine(Root, "demo.json");

    /// <summary>Creates the folder, or clears that of an earlier demo.</summary>
    /// <exception cref="UniFaceException">The folder holds other files, or its gallery other people.</exception>
    public static async Task<DemoFolder> PrepareAsync(string path, CancellationToken stop)
    {
        DemoFolder folder = new(Path.GetFullPath(path));
        string marker = Path.Combine(folder.Root, ServedDemo.MarkerFile);
        if (File.Exists(folder.Root))
        {
            throw new UniFaceException($"{path} is a file; give a folder with --out.");
        }

        if (Directory.Exists(folder.Root) && Directory.EnumerateFileSystemEntries(folder.Root).Any())
        {
            if (!File.Exists(marker))
            {
                throw new UniFaceException($"{path} holds files that a demo did not write; give another folder with --out.");
            }

            await RequireOwnPeopleAsync(folder.Gallery, stop);
            foreach (string part in (string[])[folder.Faces, folder.Run, folder.Package, folder.Evaluation])
            {
                if (Directory.Exists(part))
                {
                    Directory.Delete(part, recursive: true);
                }
            }

            string[] gallery = Directory.GetFiles(folder.Root, Path.GetFileName(folder.Gallery) + "*");
            foreach (string part in (string[])[folder.Metrics, folder.Report, folder.Summary, .. gallery])
            {
                File.Delete(part);
            }
        }

        Directory.CreateDirectory(folder.Root);
        AtomicFile.WriteText(marker, "Written by 'uniface demo', which may overwrite what it wrote here.\n");
        return folder;
    }

    // 'uniface serve' enrolls into the demo's gallery.
    private static async Task RequireOwnPeopleAsync(string path, CancellationToken stop)
    {
        if (!File.Exists(path))
        {
            return;
        }

        await using StoredGallery gallery = await FaceGallery.OpenStoreAsync(path, cancellationToken: stop);
        await foreach (GalleryPerson person in gallery.ListAsync(stop))
        {
            if (!person.Name.StartsWith(SyntheticFaces.PersonPrefix, StringComparison.Ordinal))
            {
                throw new UniFaceException(
                    $"{path} has {person.Name}, whom the demo did not enroll; give another folder with --out, or delete the file to lose its people.");
            }
        }
    }
}
