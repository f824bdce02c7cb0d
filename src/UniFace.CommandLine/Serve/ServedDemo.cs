using UniFace.AspNetCore.Recognition;

namespace UniFace.CommandLine.Serve;

/// <summary>The folder of a demo whose package is served.</summary>
/// <param name="Folder">The folder that 'uniface demo' wrote.</param>
/// <param name="Package">The package in it.</param>
internal sealed record ServedDemo(string Folder, string Package)
{
    /// <summary>The folder that 'uniface demo' writes by default.</summary>
    public const string DefaultFolder = "demo-out";

    /// <summary>A file in every folder that a demo has written.</summary>
    public const string MarkerFile = ".uniface-demo";

    /// <summary>The package in the folder.</summary>
    public const string PackageFolder = "package";

    /// <summary>The gallery in the folder.</summary>
    public const string GalleryFile = "people.gallery";

    /// <summary>The package of the demo in the working directory; null if there is none.</summary>
    public static string? FindPackage()
    {
        string package = Path.Combine(DefaultFolder, PackageFolder);
        return File.Exists(Path.Combine(package, ModelManifest.FileName)) ? Find(package)?.Package : null;
    }

    /// <summary>The demo that wrote a package; null if no demo did.</summary>
    public static ServedDemo? Find(string? package) =>
        package is not null && Directory.Exists(package) && Path.GetDirectoryName(Path.GetFullPath(package)) is string folder
        && File.Exists(Path.Combine(folder, MarkerFile))
            ? new ServedDemo(Path.GetRelativePath(Environment.CurrentDirectory, folder), package)
            : null;

    /// <summary>The demo's gallery; null if it is gone, or people are already enrolled in the service's own gallery for this model.</summary>
    public string? FindGallery(string dataFolder)
    {
        string gallery = Path.Combine(Folder, GalleryFile);
        string? contract = ModelPackage.Open(Package).Manifest?.ContractId;
        bool hasOwn = contract is not null && File.Exists(ServedGallery.GetOwnPath(dataFolder, contract));
        return File.Exists(gallery) && !hasOwn ? gallery : null;
    }
}
