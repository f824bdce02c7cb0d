using UniFace.IO;

namespace UniFace.Cli.Demo;

/// <summary>The folder that the demo writes. An older demo's folder is made new; anything else is left alone.</summary>
internal sealed class DemoFolder
{
    private const string Marker = ".uniface-demo";

    private DemoFolder(string root) => Root = root;

    /// <summary>The folder.</summary>
    public string Root { get; }

    /// <summary>Faces to train on, a folder a person.</summary>
    public string Train => Path.Combine(Root, "faces", "train");

    /// <summary>Faces of people that training never sees.</summary>
    public string Unseen => Path.Combine(Root, "faces", "unseen");

    /// <summary>Faces of a third group, to calibrate on.</summary>
    public string Calibration => Path.Combine(Root, "faces", "calibration");

    /// <summary>The training run.</summary>
    public string Run => Path.Combine(Root, "run");

    /// <summary>The model package.</summary>
    public string Package => Path.Combine(Root, "package");

    /// <summary>The package's calibration.</summary>
    public string CalibrationFile => Path.Combine(Package, Packages.Calibration.FileName);

    /// <summary>The gallery of the enrolled.</summary>
    public string Gallery => Path.Combine(Root, "people.gallery");

    /// <summary>A copy of the run's log.</summary>
    public string Metrics => Path.Combine(Root, RunFolder.MetricsFile);

    /// <summary>The report.</summary>
    public string Report => Path.Combine(Root, "report.html");

    /// <summary>The result as JSON.</summary>
    public string Summary => Path.Combine(Root, "demo.json");

    /// <summary>Makes the folder ready.</summary>
    /// <exception cref="UniFaceException">It holds something that no demo wrote.</exception>
    public static DemoFolder Prepare(string path)
    {
        DemoFolder folder = new(Path.GetFullPath(path));
        string marker = Path.Combine(folder.Root, Marker);
        if (File.Exists(folder.Root))
        {
            throw new UniFaceException($"{path} is a file; name a folder with --out.");
        }

        if (Directory.Exists(folder.Root) && Directory.EnumerateFileSystemEntries(folder.Root).Any())
        {
            if (!File.Exists(marker))
            {
                throw new UniFaceException($"{path} holds files that are not of a demo; name another folder with --out.");
            }

            foreach (string part in (ReadOnlySpan<string>)[Path.Combine(folder.Root, "faces"), folder.Run, folder.Package])
            {
                if (Directory.Exists(part))
                {
                    Directory.Delete(part, recursive: true);
                }
            }

            foreach (string part in (ReadOnlySpan<string>)[folder.Metrics, folder.Report, folder.Summary, .. Directory.GetFiles(folder.Root, Path.GetFileName(folder.Gallery) + "*")])
            {
                File.Delete(part);
            }
        }

        Directory.CreateDirectory(folder.Root);
        AtomicFile.WriteText(marker, "Written by 'uniface demo', which may delete what it wrote here and write it anew.\n");
        return folder;
    }
}
