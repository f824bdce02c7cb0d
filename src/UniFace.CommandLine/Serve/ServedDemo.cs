namespace UniFace.CommandLine.Serve;

/// <summary>The folder of a demo whose package is served.</summary>
/// <param name="Folder">The folder that 'uniface demo' wrote.</param>
/// <param name="Package">The package in it.</param>
internal sealed record ServedDemo(string Folder, string Package)
{
    private const string Marker = ".uniface-demo"; // As 'uniface demo' writes it.

    /// <summary>The demo that wrote a package; null if no demo did.</summary>
    public static ServedDemo? Find(string? package) =>
        package is not null && Directory.Exists(package) && Path.GetDirectoryName(Path.GetFullPath(package)) is string folder
        && File.Exists(Path.Combine(folder, Marker))
            ? new ServedDemo(Path.GetRelativePath(Environment.CurrentDirectory, folder), package)
            : null;

    /// <summary>The demo's gallery; null if it is gone, or people are already enrolled in the service's own gallery for this model.</summary>
    public string? FindGallery(string dataFolder)
    {
        string gallery = Path.Combine(Folder, "people.gallery");
        string? contract = ModelPackage.Open(Package).Manifest?.ContractId;
        bool hasOwn = contract is not null && File.Exists(Path.Combine(dataFolder, $"people-{contract[..8]}.gallery"));
        return File.Exists(gallery) && !hasOwn ? gallery : null;
    }
}
