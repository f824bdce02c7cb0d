namespace UniFace.CommandLine.Options;

/// <summary>Options that several commands share.</summary>
internal static class CommonOptions
{
    /// <summary>The photos of commands that read a photo, a folder or a tar.</summary>
    public const string Photos = "A photo (- for standard input), a folder of photos at any depth, or a tar of photos.";

    /// <summary>The data set of commands that read aligned faces.</summary>
    public const string AlignedFaces = "Aligned faces: one folder per person, a RecordIO set, or a tar of either.";

    /// <summary>Appended to the refusal of an overlap with training data.</summary>
    public const string OverlapHint = " --allow-overlap measures it anyway.";

    /// <summary>--config FILE, for commands with many options.</summary>
    public static CliOption<string?> Config { get; } = new(
        "--config",
        "YAML file with options of this command, e.g. 'epochs: 20'; the command line wins.",
        "FILE");

    /// <summary>--person-level N, for commands that read photos by person.</summary>
    public static CliOption<int?> PersonLevel() => new(
        "--person-level",
        "Which folder of a path names the person: 1: the top folders, 2: those in them (team/Ann/2020/1.jpg). Default: the folder of the photo.");

    /// <summary>--allow-overlap, for commands that measure a model.</summary>
    public static CliOption<bool> AllowOverlap() => new(
        "--allow-overlap", "Measure even if the model was trained on some of the photos or people; the calibration, and every decision based on it, says so.");
}
