using UniFace.Gallery.Sqlite;

namespace UniFace.Server;

/// <summary>What a service serves, where, and within which limits.</summary>
public sealed record ServerOptions
{
    /// <summary>The address without another: this machine only.</summary>
    public const string DefaultUrl = "http://127.0.0.1:8080";

    /// <summary>Addresses to listen on; port 0 lets the system choose.</summary>
    public IReadOnlyList<string> Urls { get; init; } = [DefaultUrl];

    /// <summary>Model package: folder, .onnx file or an installed model's name. Null for the installed default, else the demo's.</summary>
    public string? Package { get; init; }

    /// <summary>Gallery: a file, or the address of one on PostgreSQL. Null for one of the model in <see cref="DataFolder"/>, made where there is none.</summary>
    public string? Gallery { get; init; }

    /// <summary>The gallery's key, where it is encrypted.</summary>
    public GalleryKey? GalleryKey { get; init; }

    /// <summary>Folder of training runs, for the pages on them; it need not be there.</summary>
    public string Runs { get; init; } = "runs";

    /// <summary>Folder of all that the service itself writes. Made where it is missing.</summary>
    public string DataFolder { get; init; } = "uniface-data";

    /// <summary>Face detector's file; null for BlazeFace as setup installs it.</summary>
    public string? Detector { get; init; }

    /// <summary>Largest request in bytes.</summary>
    public long MaxRequestBytes { get; init; } = 16L << 20;
}
